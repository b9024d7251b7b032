/** The reader of the moment: language, the project's zone, names, the app's words. */
import type { Site } from '../site.svelte.ts';
import type { Reader } from './words.ts';

/** Make it inside a derived value: it follows the language and the project. */
export function readerOf(site: Site): Reader {
  return {
    lang: site.lang,
    zone: site.zone,
    nameOf: (id) => site.phone.nameOf(id),
    t: (key, params) => site.t(key, params),
  };
}
