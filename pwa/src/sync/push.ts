// Push: what waits goes out in order, in bounded requests; each answer is stored before the next is
// asked (P1–P5). Everything may be repeated: the server gives the same answer to the same number again.

import { Problem } from '../core/problem.ts';
import type { Entry } from '../store/database.ts';
import type { Local } from '../store/local.ts';
import type { Answer } from '../store/outbox.ts';
import type { Net } from './net.ts';

const PROTO = 1;
/** Of a request's body. */
export const REQUEST_BYTES_MAX = 1024 * 1024;
export const BATCHES_MAX = 100;
/** Gaps, signatures: mended so often in a row, then it is somebody's turn to look. */
const MENDS_MAX = 5;

interface Answers {
  readonly now: number;
  readonly results: readonly Answer[];
}

interface Limits {
  readonly count: number;
  readonly bytes: number;
}

/** Sends until nothing waits. Throws the Problem that stopped it. */
export async function push(local: Local, net: Net, now: () => number): Promise<void> {
  let limits: Limits = { count: BATCHES_MAX, bytes: REQUEST_BYTES_MAX };
  for (let mends = 0; ; ) {
    const entries = await local.nextToSend(limits.count, limits.bytes);
    if (entries.length === 0) return;
    try {
      await send(local, net, now, entries);
      mends = 0;
    } catch (error) {
      if (!(error instanceof Problem) || ++mends > MENDS_MAX) throw error;
      limits = await mend(local, error, entries, limits);
    }
  }
}

async function send(local: Local, net: Net, now: () => number, entries: readonly Entry[]): Promise<void> {
  local.sendingNow(entries.map(({ n }) => n));
  try {
    const sent = now();
    const batches = entries.map(({ payload, sig }) => ({ payload, sig }));
    const body = { proto: PROTO, device: local.device, sent, batches };
    const answers = await net.call<Answers>('POST', '/api/push', body);
    mustAnswer(answers, entries);
    await local.setSkew(Math.round(answers.now - (sent + now()) / 2));
    await local.settle(answers.results);
  } finally {
    local.sendingNow([]);
  }
}

/** Something answered that is not our server, or it answered something else: ask again later. */
function mustAnswer(answers: Answers, entries: readonly Entry[]): void {
  const answered = new Set(answers?.results?.map(({ n }) => n));
  if (entries.every(({ n }) => answered.has(n))) return;
  throw new Problem({ code: 'unavailable', do: 'retry' });
}

/** Puts right what the phone can put right by itself; throws what it cannot. */
async function mend(
  local: Local,
  problem: Problem,
  entries: readonly Entry[],
  limits: Limits,
): Promise<Limits> {
  const first = entries[0] as Entry;
  const { code, trouble } = problem;
  if (code === 'gap' && trouble.expected !== undefined) await local.renumber(trouble.expected);
  else if (code === 'bad_signature') await local.resign();
  else if (code === 'too_large' || code === 'malformed') {
    // One of them is at fault; alone, it is known which, and it steps out of the way.
    if (entries.length === 1) await local.setAside(first.n, code);
    return entries.length === 1 ? limits : { count: Math.ceil(entries.length / 2), bytes: limits.bytes };
  } else throw problem;
  return limits;
}
