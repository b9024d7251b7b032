// The phone's camera as a stream: the rear one, as fine as it gives, with its torch where there is one.

export type NoCamera = 'denied' | 'none' | 'busy';

export interface Camera {
  readonly stream: MediaStream;
  readonly hasTorch: boolean;
  torch(on: boolean): Promise<void>;
  stop(): void;
}

/** Finer than what is kept gains nothing but time. */
const IDEAL = { facingMode: { ideal: 'environment' }, width: { ideal: 2560 }, height: { ideal: 1920 } };

export const hasStream = (): boolean => navigator.mediaDevices?.getUserMedia !== undefined;

/** Throws a NoCamera. */
export async function openCamera(): Promise<Camera> {
  if (!hasStream()) throw 'none' satisfies NoCamera;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: IDEAL, audio: false });
    return cameraOf(stream);
  } catch (error) {
    throw whyNot(error);
  }
}

function cameraOf(stream: MediaStream): Camera {
  const [track] = stream.getVideoTracks();
  const able = (track?.getCapabilities?.() ?? {}) as { torch?: boolean };
  return {
    stream,
    hasTorch: able.torch === true,
    torch: async (on) => track?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] }),
    stop() {
      for (const one of stream.getTracks()) one.stop();
    },
  };
}

function whyNot(error: unknown): NoCamera {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'none';
}

/** What the stream shows now. */
export async function frameOf(video: HTMLVideoElement): Promise<ImageBitmap> {
  return createImageBitmap(video);
}
