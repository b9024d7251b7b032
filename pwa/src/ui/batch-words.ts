// A batch in the person's words: what it does in a line, and field by field what was written.

import type { Op, OutboxEntry, Value } from '../store/phone.ts';
import { fieldAt, labelOf, valueText } from './generic/words.ts';
import { label, t } from './i18n.svelte.ts';
import type { Site } from './site.svelte.ts';

export interface Written {
  readonly label: string;
  readonly text: string;
}

/** "New: Check-in", with how many more things the batch does. */
export function batchTitle(site: Site, entry: Pick<OutboxEntry, 'ops'>): string {
  const [first, ...rest] = entry.ops;
  if (!first) return '';
  const title = opTitle(site, first);
  return rest.length > 0 && !rest.every((op) => op.r === first.r)
    ? `${title} ${t('op.more', { n: rest.length })}`
    : title;
}

/** Which record the first op is about, as its declaration titles it. */
export function batchAbout(site: Site, entry: Pick<OutboxEntry, 'ops'>): string {
  const [first] = entry.ops;
  const kind = first && site.declarations.kind(first.c);
  if (!kind || first.k !== 'new') return '';
  return kind.title
    .flatMap((path) => {
      const field = fieldAt(kind, path);
      return field ? [valueText(field, first.set[path], site)] : [];
    })
    .filter(Boolean)
    .join(' · ');
}

function opTitle(site: Site, op: Op): string {
  const declared = site.declarations.kind(op.c);
  const kind = label(declared?.label, op.c);
  switch (op.k) {
    case 'new':
    case 'put':
      return t('op.new', { kind });
    case 'set':
    case 'add':
    case 'rem':
      return t('op.set', { kind, field: declared ? labelOf(declared, op.f, site) : op.f });
    case 'act':
      return t('op.act', { kind, act: label(declared?.acts[op.act]?.label, op.act) });
    case 'amend':
    case 'decline':
    case 'del':
      return t(`op.${op.k}`, { kind });
  }
}

/** Everything the person wrote, as label and text. What the phone fills in by itself is left out. */
export function writtenIn(site: Site, ops: readonly Op[]): readonly Written[] {
  return ops.flatMap((op): Written[] => {
    if (op.k === 'new')
      return Object.entries(op.set).flatMap(([path, value]) => one(site, op.c, path, value));
    if (op.k === 'set' || op.k === 'add' || op.k === 'rem') return one(site, op.c, op.f, op.v);
    if (op.k === 'act' || op.k === 'decline') return op.note ? [{ label: t('op.note'), text: op.note }] : [];
    return [];
  });
}

function one(site: Site, c: string, path: string, value: Value): Written[] {
  const kind = site.declarations.kind(c);
  const field = kind && fieldAt(kind, path);
  if (!kind || !field) return [{ label: path, text: JSON.stringify(value) }];
  if (field.automatic) return [];
  return [{ label: labelOf(kind, path, site), text: valueText(field, value, site) || t('conflict.empty') }];
}

/** As plain text, to copy and hand to somebody. */
export function asText(site: Site, entry: Pick<OutboxEntry, 'ops'>): string {
  const lines = writtenIn(site, entry.ops).map(({ label: name, text }) => `${name}: ${text}`);
  return [batchTitle(site, entry), ...lines].join('\n');
}

/** The ops of a batch as it was sent; none where it cannot be read. */
export function opsIn(payload: string): readonly Op[] {
  try {
    const read: unknown = JSON.parse(payload);
    const ops = typeof read === 'object' && read !== null && 'ops' in read ? read.ops : [];
    return Array.isArray(ops) ? (ops as Op[]) : [];
  } catch {
    return [];
  }
}
