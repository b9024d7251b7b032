// What a module brings to the phone beside its declaration: its own screens, a card on Today, links.
// `app.ts` finds these in `modules/*/index.ts`; that file is small and loaded at start, the screens are not.

import type { Component } from 'svelte';
import type { Value } from '../core/value.ts';
import type { Shown } from '../store/phone.ts';
import type { Found } from './generic/record.svelte.ts';
import type { Key } from './i18n.svelte.ts';
import type { IconName } from './icons/icons.ts';
import type { Site } from './site.svelte.ts';

export interface ScreenProps extends Record<string, unknown> {
  site: Site;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** The screen of one record: the record itself, where it was read to choose the screen. */
  found?: Found | undefined;
}

export interface ApprovalProps extends Record<string, unknown> {
  site: Site;
  shown: Shown;
}

/** What a control is given that a module brings for a type of field. */
export interface ControlProps extends Record<string, unknown> {
  site: Site;
  id: string;
  label: string;
  value: Value;
  /** The whole form's, by path. */
  values: Values;
  describedby: string | undefined;
  invalid: true | undefined;
  onchange: (value: Value) => void;
}

/** What shows a value of such a field. */
export interface ValueProps extends Record<string, unknown> {
  site: Site;
  value: Value;
  shown: Shown;
}

type Part<Props extends Record<string, unknown>> = () => Promise<{ default: Component<Props> }>;

export type ScreenLoader = () => Promise<{ default: Component<ScreenProps> }>;

export interface ModuleLink {
  readonly label: Key;
  readonly path: string;
  readonly icon: IconName;
  /** Shown to who holds one of these; to everyone when left out. */
  readonly roles?: readonly string[];
}

/** A form on paper; `xlsx`: the server makes a sheet of it too. */
export interface Paper {
  readonly name: string;
  readonly xlsx?: true;
}

export interface ModuleFace {
  /** As in its declaration. */
  readonly module: string;
  /** A card on Today, in the first load: keep it small. It says when it can be tapped. */
  readonly today?: Component<{ site: Site; onready: () => void }>;
  /** A card on Today that comes after the first page stands. */
  readonly card?: () => Promise<{ default: Component<{ site: Site }> }>;
  /** That card stands before those of other modules. */
  readonly urgent?: true;
  /** `module/screen` → screen at `/module/screen`; one at a generic path (`k/module.kind/new`) is shown instead of it. */
  readonly routes: Readonly<Record<string, ScreenLoader>>;
  /** `module.kind` → what is shown of one such record, instead of its fields. `params.r` names it. */
  readonly records?: Readonly<Record<string, ScreenLoader>>;
  /** `module.kind` → what an approver is shown of it in his list, instead of its fields. */
  readonly approvals?: Readonly<Record<string, () => Promise<{ default: Component<ApprovalProps> }>>>;
  /** Type of field → its control in forms, and how it is shown in an entry. */
  readonly controls?: Readonly<Record<string, Part<ControlProps>>>;
  readonly values?: Readonly<Record<string, Part<ValueProps>>>;
  readonly links?: readonly ModuleLink[];
  /** `module.kind` → the paper forms that the server fills of one such record: `paper.<name>` in words. */
  readonly papers?: Readonly<Record<string, readonly Paper[]>>;
  /** An entry as a person should read it now: what only the passing of time tells (still at work). */
  readonly seen?: (shown: Shown, now: number) => Shown;
  /** `module.kind.field` → a value as a person reads it, where its type alone says it badly. */
  readonly says?: Readonly<Record<string, (value: Value) => string | undefined>>;
  /** `module.kind` → what the paths of one such record are called, where its declaration alone says it badly. */
  readonly names?: Readonly<Record<string, (site: Site, shown: Shown) => Promise<PathNames>>>;
  /** For a form of this module's kind: what the app itself fills in (`automatic` fields), from the rest. */
  readonly automatic?: (c: string, site: Site) => Promise<Fill>;
}

export type PathNames = (path: string) => string | undefined;

/** An entry as its module wants it read. */
export function seenBy(faces: readonly ModuleFace[], shown: Shown, now: number): Shown {
  const face = faces.find((one) => one.module === shown.c.split('.')[0]);
  return face?.seen?.(shown, now) ?? shown;
}

type Values = Readonly<Record<string, Value>>;
export type Fill = (values: Values) => Values;
