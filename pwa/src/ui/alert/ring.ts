// Sound and vibration for an alert, once for each on this phone, and never where the person turned them off.

const RUNG = 'gongbu.alert.rung';
const MUTED = 'gongbu.alert.muted';
const KEPT_MAX = 200;
const URGENT_MS = [300, 120, 300, 120, 600];
const USUAL_MS = [200, 100, 200];

export const isMuted = (): boolean => localStorage.getItem(MUTED) !== null;
export function mute(on: boolean): void {
  if (on) localStorage.setItem(MUTED, '1');
  else localStorage.removeItem(MUTED);
}

/** True the first time that this alert is heard of. */
export function isNew(id: string): boolean {
  const rung = (localStorage.getItem(RUNG) ?? '').split(' ').filter(Boolean);
  if (rung.includes(id)) return false;
  localStorage.setItem(RUNG, [...rung, id].slice(-KEPT_MAX).join(' '));
  return true;
}

export function ring(urgent: boolean): void {
  if (isMuted()) return;
  navigator.vibrate?.(urgent ? URGENT_MS : USUAL_MS);
  try {
    beep(urgent ? 3 : 1);
  } catch {
    // Before the first tap a browser lets no page make a sound.
  }
}

function beep(times: number): void {
  if (navigator.userActivation?.hasBeenActive === false) return;
  const sound = new AudioContext();
  for (let i = 0; i < times; i += 1) {
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    volume.gain.value = 0.2;
    tone.frequency.value = 880;
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + i * 0.4);
    tone.stop(sound.currentTime + i * 0.4 + 0.25);
    if (i === times - 1) tone.onended = () => void sound.close();
  }
}
