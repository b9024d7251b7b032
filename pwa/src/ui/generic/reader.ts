/** The reader of the moment: language, the project's zone, names, the app's words. */
import type { Field } from '../../core/field.ts';
import type { Value } from '../../core/value.ts';
import type { Site } from '../site.svelte.ts';
import type { Reader } from './words.ts';

/** Make it inside a derived value: it follows the language and the project. */
export function readerOf(site: Site): Reader {
  return {
    lang: site.lang,
    zone: site.zone,
    nameOf: (id) => (id === 'server' ? site.t('list.by_server') : site.nameOf(id)),
    t: (key, params) => site.t(key, params),
    ownWords: (field, value) => sayingsOf(site).get(field)?.(value),
  };
}

type Say = (value: Value) => string | undefined;
const known = new WeakMap<Site, ReadonlyMap<Field, Say>>();

/** What the modules say of single fields, by the field itself. */
function sayingsOf(site: Site): ReadonlyMap<Field, Say> {
  const before = known.get(site);
  if (before) return before;
  const found = new Map<Field, Say>();
  for (const [path, say] of site.faces.flatMap((face) => Object.entries(face.says ?? {}))) {
    const [module, kind, name = ''] = path.split('.');
    const field = site.declarations.kind(`${module}.${kind}`)?.fields[name];
    if (field) found.set(field, say);
  }
  known.set(site, found);
  return found;
}
