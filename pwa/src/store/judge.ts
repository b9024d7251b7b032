// What the server would say to a batch now, as far as this phone knows.

import { admit } from '../core/admit.ts';
import { type Batch, checkOps, Refused } from '../core/batch.ts';
import type { Declarations } from '../core/declaration.ts';
import type { MergeRecord } from '../core/merge.ts';
import type { Actor } from '../core/person.ts';
import type { Problemish } from './phone.ts';

export { version } from '../core/version.ts';

/** Later than everything on the phone. */
const LAST_SEQ = Number.MAX_SAFE_INTEGER;

export function judge(
  batch: Pick<Batch, 'base' | 'v' | 'ops'>,
  actor: Actor,
  records: ReadonlyMap<string, MergeRecord>,
  declarations: Declarations,
  now: number,
): Problemish | undefined {
  try {
    if (batch.ops.length === 0) throw new Refused('invalid', 0, 'ops', 'malformed');
    checkOps(batch.ops);
    admit(batch, actor, records, declarations, LAST_SEQ, now);
    return undefined;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { code, op, field, reason } = error;
    return { code, op, ...(field !== undefined && { field }), ...(reason !== undefined && { reason }) };
  }
}
