// Reading QR codes from the camera: the browser's own detector where it has one, else zxing as WebAssembly
// (large, so it is loaded only then; kept by the service worker, so that works offline).

import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';

export type ReadCode = (frame: HTMLVideoElement | ImageBitmap) => Promise<string | undefined>;

interface Detector {
  detect(source: HTMLVideoElement | ImageBitmap): Promise<readonly { readonly rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: readonly string[] }): Detector;
  getSupportedFormats(): Promise<readonly string[]>;
}

const SIDE_MAX = 1024;

export async function codeReader(): Promise<ReadCode> {
  return (await nativeReader()) ?? (await wasmReader());
}

async function nativeReader(): Promise<ReadCode | undefined> {
  const Native = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (!Native || !(await Native.getSupportedFormats()).includes('qr_code')) return undefined;
  const detector = new Native({ formats: ['qr_code'] });
  return async (frame) => (await detector.detect(frame))[0]?.rawValue;
}

async function wasmReader(): Promise<ReadCode> {
  const { prepareZXingModule, readBarcodes } = await import('zxing-wasm/reader');
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  const canvas = document.createElement('canvas');
  return async (frame) => {
    const [found] = await readBarcodes(pixels(canvas, frame), { formats: ['QRCode'], maxNumberOfSymbols: 1 });
    return found?.text;
  };
}

function pixels(canvas: HTMLCanvasElement, frame: HTMLVideoElement | ImageBitmap): ImageData {
  const [width, height] =
    frame instanceof HTMLVideoElement ? [frame.videoWidth, frame.videoHeight] : [frame.width, frame.height];
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height, 1));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  if (!pen) throw new Error('no canvas');
  pen.drawImage(frame, 0, 0, canvas.width, canvas.height);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}
