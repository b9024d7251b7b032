// The app's icons as single paths on a 24 × 24 sheet, drawn with one pen (stroke 2, round ends).
// An icon never stands alone: there is always a word beside it.

export const ICONS = {
  today: 'M5 4h14a1 1 0 0 1 1 1v15H4V5a1 1 0 0 1 1-1zM8 2v4M16 2v4M4 10h16M9 15l2 2 4-4',
  entries: 'M6 3h13v18H6zM3 7h5M3 12h5M3 17h5M11 8h5M11 12h5M11 16h3',
  approve: 'M9 12V8a3 3 0 1 1 6 0v4h4v5H5v-5zM4 21h16',
  me: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2 20a7 7 0 0 1 14 0M16 4.5a3.5 3.5 0 0 1 0 6M18 14a7 7 0 0 1 4 6',
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  up: 'M5 15l7-7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  check: 'M4 12.5l5.5 5.5L20 6.5',
  approved: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12.5l3 3 5.5-6',
  waits: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2',
  send: 'M21 3L10 14M21 3l-7 18-4-7-7-4z',
  sent: 'M2 13l4 4 8-9M11 15l2 2 8-9',
  outbox: 'M12 14V3M8 7l4-4 4 4M3 13h5l1.5 3h5L16 13h5v7H3z',
  phone: 'M7 2h10v20H7zM11 18h2',
  alert: 'M12 3l10 17H2zM12 10v4M12 17v.01',
  hand: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v6M12 16.5v.01',
  returned: 'M9 14l-5-5 5-5M4 9h10a6 6 0 0 1 0 12h-3',
  differs: 'M7 3v6a4 4 0 0 0 4 4h6M17 3v6M7 21v-4M14 10l3 3-3 3',
  lock: 'M6 11h12v10H6zM8.5 11V7a3.5 3.5 0 0 1 7 0v4',
  offline: 'M3 3l18 18M8.5 8.7A6 6 0 0 0 7 18.9h10.6M10.5 6.2A6 6 0 0 1 18 11a4 4 0 0 1 3 6.6',
  online: 'M7 19a5 5 0 0 1-.6-10A6.5 6.5 0 0 1 19 10.600A4.300 4.300 0 0 1 17.700 19z',
  camera: 'M4 7h4l1.500-2.500h5L16 7h4v13H4zM12 17a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z',
  scan: 'M3 8V3h5M16 3h5v5M21 16v5h-5M8 21H3v-5M7 12h10',
  qr: 'M3 3h7v7H3zM14 3h7v7h-7zM3 14h7v7H3zM14 14h3v3M21 14v.01M14 21v.01M18 18h3v3',
  place:
    'M12 22s7-7.500 7-12.500a7 7 0 0 0-14 0C5 14.500 12 22 12 22zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  calendar: 'M4 5h16v16H4zM8 2v5M16 2v5M4 10h16M8 14h.01M12 14h.01M16 14h.01M8 17.500h.01M12 17.500h.01',
  edit: 'M4 20l1-5L16 4l4 4L9 19zM13 7l4 4',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
  copy: 'M8 8h12v13H8zM4 16V3h12',
  share: 'M12 15V3M8 7l4-4 4 4M5 11v10h14V11',
  repair:
    'M14.500 6a4.500 4.500 0 0 1 6-1.500L17.500 7.500l1 2 3 .5a4.500 4.500 0 0 1-6.500 3.500L8 20.500a2.100 2.100 0 0 1-3-3l7-7A4.500 4.500 0 0 1 14.500 6z',
  again: 'M20 5v6h-6M4 19v-6h6M19.500 11A8 8 0 0 0 5.600 7.500M4.500 13a8 8 0 0 0 13.900 3.500',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500L21 21',
  filter: 'M3 5h18l-7 8v6l-4 2v-8z',
  sort: 'M8 4v16M4.500 16.500L8 20l3.500-3.500M16 20V4M12.500 7.500L16 4l3.500 3.500',
  print: 'M7 9V3h10v6M7 18H4V9h16v9h-3M7 14h10v7H7z',
  download: 'M12 3v12M7 10l5 5 5-5M4 20h16',
  settings:
    'M4 7h9M17 7h3M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM4 17h3M11 17h9M9 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  language:
    'M3 5h11M8.500 3v2M12 5c-1 4-4 7-8 9M5.500 8c1 2.500 3.500 4.500 6.500 5.500M12 21l4.500-11L21 21M13.500 17.500h6',
  text: 'M3 19L8.500 5 14 19M5 14.500h7M16 19l3-8 3 8M17 16.500h4',
  sun: 'M12 16.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM12 1.500v2M12 20.500v2M1.500 12h2M20.500 12h2M4.600 4.600L6 6M18 18l1.400 1.400M4.600 19.400L6 18M18 6l1.400-1.400',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z',
  paper: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  device: 'M4 4h16v12H4zM9 20h6M12 16v4',
  storage: 'M4 6c0-4 16-4 16 0s-16 4-16 0zM4 6v12c0 4 16 4 16 0V6M4 12c0 4 16 4 16 0',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  key: 'M8 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM13 12h8v4M17 12v3',
  invite: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 20a7 7 0 0 1 14 0M19 8v6M16 11h6',
  leave: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v6M12 7.500v.01',
  shield: 'M12 3l8 3v6c0 5-3.500 8-8 9.500C7.500 20 4 17 4 12V6zM8.500 12l2.500 2.500 4.500-5',
  update: 'M12 20V9M7 13l5-5 5 5M4 4h16',
  install: 'M7 2h10v20H7zM12 7v8M9 12l3 3 3-3',
  book: 'M6 3h14v18H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM8 3v18M11.500 8h5M14 8v7M11.500 15h5',
  in: 'M14 4h6v16h-6M3 12h12M10 7l5 5-5 5',
  out: 'M10 4H4v16h6M9 12h12M16 7l5 5-5 5',
  hat: 'M3 17h18v3H3zM5 17v-3a7 7 0 0 1 14 0v3M10 8V5h4v3',
  hazard: 'M12 3l10 17H2zM12 10v4M12 17v.01',
  table: 'M3 4h18v16H3zM3 9.500h18M3 14.500h18M9 4v16',
  note: 'M5 3h14v12l-6 6H5zM19 15h-6v6M8.500 8h7M8.500 12h4',
  photo: 'M3 4h18v16H3zM3 16l5-5 4 4 3-3 6 6M15.500 9v.01',
  more: 'M5 12v.01M12 12v.01M19 12v.01',
  open: 'M10 5H4v15h15v-6M13 4h7v7M20 4l-9 9',
} as const;

export type IconName = keyof typeof ICONS;

/** Icons that a declaration may name; an unknown name shows the notebook. */
const DECLARED: Readonly<Record<string, IconName>> = { 'hard-hat': 'hat', 'alert-triangle': 'hazard' };

export function iconNamed(name: string | undefined): IconName {
  if (name === undefined) return 'book';
  const alias = DECLARED[name];
  if (alias) return alias;
  return Object.hasOwn(ICONS, name) ? (name as IconName) : 'book';
}
