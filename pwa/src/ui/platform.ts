// What this browser is, as far as the person must be told: inside WeChat, on an iPhone, on the home screen.

export const isWeChat = (): boolean => /MicroMessenger/i.test(navigator.userAgent);

export const isIos = (): boolean =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) ||
  (navigator.userAgent.includes('Mac') && navigator.maxTouchPoints > 1);

export const isInstalled = (): boolean =>
  matchMedia('(display-mode: standalone)').matches ||
  (navigator as { standalone?: boolean }).standalone === true;

/** Asking for lasting storage shows no question here: Chromium decides by itself, an installed app is granted. */
export const persistsQuietly = (): boolean => 'userAgentData' in navigator || isInstalled();
