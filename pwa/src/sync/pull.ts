// Pull: what is new for this person, streamed line by line and stored piece by piece, each piece with
// its cursor in one transaction; a killed pull goes on where it was (P6). Another epoch erases what is no
// longer granted, before anything else is stored (A6).

import type { MergeRecord } from '../core/merge.ts';
import { Problem } from '../core/problem.ts';
import type { ProjectRow } from '../store/database.ts';
import type { Local } from '../store/local.ts';
import type { Line, Page } from '../store/record.ts';
import type { Net } from './net.ts';

export const PAGE_RECORDS = 2000;
/** So many records are made durable at a time, ending with a whole batch. */
export const PIECE_RECORDS = 1000;

interface Header {
  readonly head: number;
  readonly cursor: number;
  readonly more: boolean;
  readonly epoch: number;
  readonly audiences: readonly string[];
  /** Where the answer starts, which is 0 after a change of epoch. */
  readonly from?: number;
}

/** Everything up to the head. True if the person's roles have changed meanwhile. */
export async function pull(local: Local, net: Net, project: string): Promise<boolean> {
  let isOtherEpoch = false;
  for (let more = true; more; ) {
    const row = local.cursors.get(project);
    if (!row) return isOtherEpoch;
    const lines = net.lines(pathOf(row));
    try {
      const page = await takeLines(local, row, lines);
      more = page.more;
      isOtherEpoch ||= page.isOtherEpoch;
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'cursor_expired' || row.cursor === 0) throw error;
      await local.erase(project, { cursor: 0, epoch: row.pulled ?? row.epoch, audiences: row.audiences });
    } finally {
      void lines.return();
    }
  }
  return isOtherEpoch;
}

function pathOf({ id, cursor, pulled }: ProjectRow): string {
  const asked = new URLSearchParams({ project: id, cursor: String(cursor), limit: String(PAGE_RECORDS) });
  if (pulled !== null) asked.set('epoch', String(pulled));
  return `/api/pull?${asked}`;
}

interface Taken {
  readonly more: boolean;
  readonly isOtherEpoch: boolean;
}

async function takeLines(
  local: Local,
  row: ProjectRow,
  lines: AsyncGenerator<string, void, void>,
): Promise<Taken> {
  const header = await headerOf(lines, local.person.id);
  const { head, epoch, audiences } = header;
  const isOtherEpoch = row.pulled !== null && row.pulled !== epoch;
  let from = header.from ?? (isOtherEpoch ? 0 : row.cursor);
  if (isOtherEpoch) await local.erase(row.id, { cursor: from, epoch, audiences });

  let piece: Line[] = [];
  const store = async (cursor: number): Promise<boolean> => {
    const page: Page = { project: row.id, from, cursor, lines: piece, head, epoch, audiences };
    from = cursor;
    piece = [];
    return local.takePage(page);
  };
  for await (const text of lines) {
    const record = JSON.parse(text) as MergeRecord;
    const before = piece.at(-1)?.record.seq;
    // A batch is whole or not at all: a piece ends only where the next seq begins.
    const isFull = before !== undefined && piece.length >= PIECE_RECORDS && record.seq !== before;
    if (isFull && !(await store(before))) return { more: true, isOtherEpoch };
    piece.push({ text, record });
  }
  const isStored = await store(header.cursor);
  return { more: header.more || !isStored, isOtherEpoch };
}

/** The audiences of an answer always name the person it is for: a cookie of another one is found out. */
async function headerOf(lines: AsyncGenerator<string, void, void>, person: string): Promise<Header> {
  const first = await lines.next();
  const header = first.done ? null : (JSON.parse(first.value) as Header);
  if (!Array.isArray(header?.audiences)) throw new Problem({ code: 'unavailable', do: 'retry' });
  if (!header.audiences.includes(`person:${person}`))
    throw new Problem({ code: 'signed_out', do: 'sign_in' });
  return header;
}
