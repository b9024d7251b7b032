// A person in a project: which roles, whose crew, what may be done and seen (A4, A5).
//
// The words of a declaration: `all` any member · `author` · `<role>` · `self:<field>` the field names
// me, alone or among others · `<role>:<field>` I hold the role, and the field's team is one of mine or the field's person is
// a member of one of my teams.

import { at, isList, type Value } from './value.ts';

/** Who acts: a member of one project, at one device. */
export interface Actor {
  readonly person: string;
  readonly device: string;
  readonly roles: readonly string[];
  readonly teams: readonly string[];
  /** person → teams in this project */
  readonly teamsOf: Readonly<Record<string, readonly string[]>>;
}

/** The device and the author of what the server itself computes. */
export const SERVER = 'server';

const SEES_EVERY_PERSON = ['supervisor', 'manager', 'office'];
const SEES_EVERY_TEAM = ['inspector', 'supervisor', 'manager', 'office'];
const SEES_OFFICE = ['manager', 'office'];

/** Whether one of the words names this person for a record; `author` is null for one just being made. */
export function may(
  who: readonly string[],
  actor: Actor,
  author: string | null,
  values: Readonly<Record<string, Value>>,
): boolean {
  return who.some((word) => isNamed(word, actor, author, values));
}

/** The labels granted, `person:*` standing for a whole class (A5). */
export function labels(actor: Actor): ReadonlySet<string> {
  const own = ['all', `person:${actor.person}`, `private:${actor.person}`];
  const found = new Set([...own, ...actor.teams.map((team) => `team:${team}`)]);
  if (holds(actor, SEES_EVERY_PERSON)) found.add('person:*');
  else if (actor.roles.includes('foreman')) {
    for (const [person, teams] of Object.entries(actor.teamsOf)) {
      if (teams.some((team) => actor.teams.includes(team))) found.add(`person:${person}`);
    }
  }
  if (holds(actor, SEES_EVERY_TEAM)) found.add('team:*');
  if (holds(actor, SEES_OFFICE)) found.add('office');
  if (actor.roles.includes('manager')) found.add('private:*');
  return found;
}

/** Whether somebody granted these labels may see a record of this audience. */
export function granted(audience: string, labels: ReadonlySet<string>): boolean {
  return labels.has(audience) || labels.has(`${audience.split(':', 1)[0]}:*`);
}

function isNamed(
  word: string,
  actor: Actor,
  author: string | null,
  values: Readonly<Record<string, Value>>,
): boolean {
  if (word === 'all') return true;
  if (word === 'author') return author === null || author === actor.person;
  const colon = word.indexOf(':');
  const role = colon < 0 ? word : word.slice(0, colon);
  const value = colon < 0 ? undefined : at(values, word.slice(colon + 1));
  if (role === 'self')
    return value === actor.person || (value !== undefined && isList(value) && value.includes(actor.person));
  if (!actor.roles.includes(role)) return false;
  if (colon < 0) return true;
  return typeof value === 'string' && isMine(actor, value);
}

/** A team of mine, or a person in one of my teams. */
function isMine(actor: Actor, id: string): boolean {
  if (actor.teams.includes(id)) return true;
  return at(actor.teamsOf, id)?.some((team) => actor.teams.includes(team)) ?? false;
}

function holds(actor: Actor, roles: readonly string[]): boolean {
  return actor.roles.some((role) => roles.includes(role));
}
