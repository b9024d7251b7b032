// Templates as files, and the library that is shipped: the server reads and writes them.

import { Problem } from '../../../core/problem.ts';
import type { Value } from '../../../store/phone.ts';
import type { Site } from '../../../ui/site.svelte.ts';

export interface InLibrary {
  readonly key: string;
  readonly name: string;
  readonly name_en: string;
  readonly code: string;
  readonly items: number;
}

export interface FileFault {
  /** The cell or the path. */
  readonly at: string;
  readonly code: string;
  readonly message: string;
}

export interface ReadFile {
  readonly values: Readonly<Record<string, Value>> | null;
  readonly faults: readonly FileFault[];
}

const ADDRESS = '/api/inspections';

export async function libraryList(site: Site): Promise<readonly InLibrary[]> {
  const { templates } = await site.accounts.api<{ templates: readonly InLibrary[] }>(
    'GET',
    `${ADDRESS}/library`,
  );
  return templates;
}

export async function libraryOne(site: Site, key: string): Promise<Readonly<Record<string, Value>>> {
  const path = `${ADDRESS}/library/${encodeURIComponent(key)}`;
  const { values } = await site.accounts.api<{ values: Readonly<Record<string, Value>> }>('GET', path);
  return values;
}

/** A file goes up as it is; what comes back are values, or what is wrong and where. */
export async function readFile(site: Site, file: File): Promise<ReadFile> {
  const isJson = file.name.toLowerCase().endsWith('.json');
  const answer = await fetch(`${ADDRESS}/templates/read?project=${encodeURIComponent(site.project)}`, {
    method: 'POST',
    headers: {
      'X-Requested-With': 'gongbu',
      'Accept-Language': site.lang === 'zh' ? 'zh-CN' : 'en',
      'Content-Type': isJson
        ? 'application/json'
        : 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    },
    body: file,
  }).catch(() => null);
  if (answer === null) throw new Problem({ code: 'offline', do: 'retry' });
  const told = (await answer.json()) as {
    values?: ReadFile['values'];
    faults?: readonly FileFault[];
    code?: string;
    message?: string;
  };
  if (told.values) return { values: told.values, faults: [] };
  if (told.faults) return { values: null, faults: told.faults };
  throw new Problem({
    code: told.code ?? 'unexpected',
    do: 'fix',
    ...(told.message && { message: told.message }),
  });
}

/** Where a template is handed out as a file. */
export function fileAddress(site: Site, r: string, sort: 'json' | 'xlsx'): string {
  return `${ADDRESS}/templates/${r}.${sort}?project=${encodeURIComponent(site.project)}&lang=${site.lang}`;
}
