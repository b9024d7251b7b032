// What the phone is connected by, where the browser tells (Chromium on Android; Safari and Firefox do not).

interface Connection {
  readonly type?: string;
}

/** True on Wi-Fi or a cable, false on a mobile line, null where nobody knows. */
export function isWifi(): boolean | null {
  const connection = (globalThis.navigator as { connection?: Connection } | undefined)?.connection;
  const type = connection?.type;
  if (type === undefined || type === 'unknown' || type === 'other') return null;
  return type === 'wifi' || type === 'ethernet';
}
