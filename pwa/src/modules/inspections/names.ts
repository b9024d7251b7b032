// What the paths of an inspection are called: an answer and its remark by the item that was asked.

import type { Shown } from '../../store/phone.ts';
import { say } from '../../ui/generic/words.ts';
import type { PathNames } from '../../ui/module.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { INSPECTION, TEMPLATE } from './declared.generated.ts';
import { sheetOf } from './sheet.ts';
import { readTemplate } from './template.ts';

/** `answers.cover__p2.result` → `2# · 3.1 Hole covered · Result`. */
export async function pathNames(site: Site, { values }: Shown): Promise<PathNames> {
  const template = await site.phone.get(site.project, String(values.template ?? ''), TEMPLATE);
  if (!template) return () => undefined;
  const plan = readTemplate(template.values);
  const items = new Map(plan.sections.flatMap((section) => section.items.map((item) => [item.key, item])));
  const asked = new Map(
    sheetOf(plan, values).blocks.flatMap(({ label, questions }) =>
      questions.map(({ id, number }) => [id, { label, number }] as const),
    ),
  );
  const fields = site.declarations.kind(INSPECTION)?.written ?? {};
  return (path) => {
    const [root = '', id = '', sub = ''] = path.split('.');
    const item = items.get(id.split('__', 1)[0] ?? '');
    if (!item || (root !== 'answers' && root !== 'remarks')) return undefined;
    const { label = '', number = '' } = asked.get(id) ?? {};
    const words = `${number} ${say(item.words, site.lang, item.key)}`.trim();
    return [label, words, say(fields[root]?.fields?.[sub]?.label, site.lang)].filter(Boolean).join(' · ');
  };
}
