// The phone's merge as a filter: JSON lines in, JSON lines out, so that another language can compare.
//
//   node tests/pwa/histories/fold.ts shared/modules/labour.json … < histories.jsonl
//
// In: one history a line, {"batches":[{seq,device,by,base,et,v,ops,roles?,teams?,people?}, …]}. With
// `roles` a batch is judged (admit) first and may be refused; without, it is folded as it is.
// Out: canonical {"records":{r:record},"results":[…],"shown":{…},"conflicts":{…},"versions":{…}}.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { admit } from '../../../pwa/src/core/admit.ts';
import { checkOps, type Op, Refused } from '../../../pwa/src/core/batch.ts';
import { type Declarations, readDeclarations } from '../../../pwa/src/core/declaration.ts';
import { conflicts, fold, isDeleted, type Records, shown, version } from '../../../pwa/src/core/merge.ts';
import { canonical, type Value, type ValueMap } from '../../../pwa/src/core/value.ts';

interface Batch {
  readonly seq: number;
  readonly device: string;
  readonly by: string;
  readonly base: number;
  readonly et: number;
  readonly v: number;
  readonly ops: readonly Op[];
  readonly roles?: readonly string[];
  readonly teams?: readonly string[];
  readonly people?: Readonly<Record<string, readonly string[]>>;
}

function take(records: Records, batch: Batch, declarations: Declarations): Value {
  const { seq, device, by, base, et, v, ops, roles, teams = [], people = {} } = batch;
  if (!roles) {
    return {
      status: 'applied',
      held: fold(records, ops, { seq, device, base, et, by, v }, declarations.kind, version),
    };
  }
  try {
    checkOps(ops);
    const actor = { person: by, device, roles, teams, teamsOf: people };
    const admitted = admit({ base, v, ops }, actor, records, declarations, seq, et);
    for (const [r, record] of admitted.records) records.set(r, record);
    return { status: 'applied', held: admitted.held };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { code, op, field, reason } = error;
    return { status: 'refused', code, op, ...(field && { field }), ...(reason && { reason }) };
  }
}

function outcome(batches: readonly Batch[], declarations: Declarations): Value {
  const records: Records = new Map();
  const results = batches.map((batch) => take(records, batch, declarations));
  const each = (answer: (r: string) => Value): ValueMap =>
    Object.fromEntries([...records.keys()].map((r) => [r, answer(r)]));
  const record = (r: string) => records.get(r) as NonNullable<ReturnType<Records['get']>>;
  const kind = (r: string) => declarations.kind(record(r).c);
  return {
    records: each((r) => record(r) as unknown as Value),
    results,
    shown: each((r) => shown(record(r), kind(r))),
    conflicts: each((r) => conflicts(record(r), kind(r))),
    versions: each((r) => version(record(r), kind(r))),
    deleted: [...records.keys()].filter((r) => isDeleted(record(r))).sort(),
  };
}

const declarations = readDeclarations(
  process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf-8')) as unknown),
);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === '') continue;
  const { batches } = JSON.parse(line) as { batches: readonly Batch[] };
  process.stdout.write(`${canonical(outcome(batches, declarations))}\n`);
}
