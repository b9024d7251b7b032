// Names of persons, teams, places and projects, who is in which team, whose a device is: read once from
// the core.* records that the server mirrors to every phone, so that screens can ask without waiting.

import { type MergeRecord, shown } from '../core/merge.ts';
import type { Value } from '../core/value.ts';
import type { Kinds } from './record.ts';

export const CORE_KINDS = ['core.person', 'core.team', 'core.place', 'core.project'] as const;

export interface Names {
  readonly names: ReadonlyMap<string, string>;
  readonly personByDevice: ReadonlyMap<string, string>;
  /** project → person → teams */
  readonly teamsOf: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;
  readonly zones: ReadonlyMap<string, string>;
}

export function readNames(
  records: readonly { readonly project: string; readonly record: MergeRecord }[],
  kinds: Kinds,
): Names {
  const names = new Map<string, string>();
  const personByDevice = new Map<string, string>();
  const teamsOf = new Map<string, Record<string, readonly string[]>>();
  const zones = new Map<string, string>();
  for (const { project, record } of records) {
    const values = shown(record, kinds(record.c));
    if (typeof values.name === 'string') names.set(record.r, values.name);
    if (record.c === 'core.project' && typeof values.zone === 'string') zones.set(project, values.zone);
    if (record.c !== 'core.person') continue;
    for (const device of texts(values.devices)) personByDevice.set(device, record.r);
    const teams = teamsOf.get(project) ?? {};
    teams[record.r] = texts(values.teams);
    teamsOf.set(project, teams);
  }
  return { names, personByDevice, teamsOf, zones };
}

function texts(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
