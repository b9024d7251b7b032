/** What happened to a record, in words, from its ops. Pure. */
import type { Op } from '../../core/batch.ts';
import type { Kind } from '../../core/declaration.ts';
import { fieldAt, labelOf, type Reader, say, valueText } from './words.ts';

export function opWords(kind: Kind, op: Op, reader: Reader): string {
  switch (op.k) {
    case 'new':
      return reader.t('detail.op_new');
    case 'put':
      return reader.t('detail.op_put');
    case 'del':
      return reader.t('detail.op_del');
    case 'amend':
      return reader.t('detail.op_amend');
    case 'decline':
      return withNote(reader.t('detail.op_decline'), op.note, reader);
    case 'act':
      return withNote(say(kind.acts[op.act]?.label, reader.lang, op.act), op.note, reader);
    default:
      return writeWords(kind, op, reader);
  }
}

function writeWords(kind: Kind, op: Op & { readonly k: 'set' | 'add' | 'rem' }, reader: Reader): string {
  const field = labelOf(kind, op.f, reader);
  if (op.v === null) return reader.t('detail.op_erased', { field });
  const declared = fieldAt(kind, op.f);
  const one = op.k !== 'set' && declared?.type === 'multi_choice' ? [op.v] : op.v;
  const value = declared ? valueText(declared, one, reader) : String(op.v);
  return reader.t(`detail.op_${op.k}`, { field, value });
}

function withNote(words: string, note: string | undefined, reader: Reader): string {
  if (!note) return words;
  return reader.lang === 'zh' ? `${words}：${note}` : `${words}: ${note}`;
}
