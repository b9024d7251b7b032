// An invite as it comes: the code alone, or the link that a QR code holds (`https://…/enrol?code=…`).

const CODE = /^[A-Za-z0-9_-]{4,64}$/;

export function codeIn(text: string): string | undefined {
  const trimmed = text.trim();
  const code = fromLink(trimmed) ?? trimmed.replaceAll(/[\s·]/g, '');
  return CODE.test(code) ? code : undefined;
}

function fromLink(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.pathname === '/enrol' ? (url.searchParams.get('code') ?? undefined) : undefined;
}

/** Roles that may invite people. */
export const INVITERS: readonly string[] = ['manager', 'office', 'foreman'];

const GIVEN: readonly string[] = [
  'worker',
  'foreman',
  'inspector',
  'supervisor',
  'office',
  'client',
  'manager',
];

/** A manager invites into any role, the office into any but manager, a foreman workers. */
export function rolesToGive(mine: readonly string[]): readonly string[] {
  if (mine.includes('manager')) return GIVEN;
  if (mine.includes('office')) return GIVEN.filter((role) => role !== 'manager');
  return ['worker'];
}

/** As the server tells it. */
export interface Invite {
  readonly id: string;
  readonly team: string | null;
  readonly roles: readonly string[];
  readonly uses: number;
  readonly uses_max: number;
  readonly expires: number;
  readonly code: string;
  readonly link: string;
  /** An SVG element */
  readonly qr: string;
}

/** As a picture: a picture cannot run anything, whatever stands in it. */
export function qrImage(svg: string): string {
  const named = svg.includes('xmlns=') ? svg : svg.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml,${encodeURIComponent(named)}`;
}
