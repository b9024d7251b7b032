// What inspections score and what plans ask for, by shared/vectors; the server's suite runs the same.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Value } from '../../../pwa/src/core/value.ts';
import { duties, occurrences } from '../../../pwa/src/modules/inspections/plan.ts';
import { readTemplate, score } from '../../../pwa/src/modules/inspections/score.ts';

type Values = Readonly<Record<string, Value>>;

interface Named {
  readonly rule: string;
  readonly name: string;
}

interface Scored extends Named {
  readonly template: string;
  readonly set: Values;
  readonly gives: unknown;
}

interface Planned extends Named {
  readonly plan: Values;
  readonly from: string;
  readonly to: string;
  readonly today: string;
  readonly inspections: readonly { readonly r: string; readonly state: string; readonly due: string }[];
  readonly gives: unknown;
}

function load<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../shared/vectors/${name}`, import.meta.url), 'utf-8'));
}

const scores = load<{ templates: Record<string, Values>; cases: readonly Scored[] }>('scores.json');
const plans = load<{ cases: readonly Planned[] }>('plans.json');

describe('an inspection comes to this score', () => {
  for (const one of scores.cases)
    test(`${one.rule} ${one.name}`, () => {
      const template = readTemplate(scores.templates[one.template] ?? {});
      expect(score(template, one.set)).toEqual(one.gives);
    });
});

describe('a plan asks on these days, and this came of it', () => {
  for (const one of plans.cases)
    test(`${one.rule} ${one.name}`, () => {
      const plan = { values: one.plan };
      const made = (one.inspections ?? []).map(({ r, state, due }) => ({ r, state, values: { due } }));
      const given =
        one.rule === 'duties' ? duties(plan, made, one.today) : occurrences(plan, one.from, one.to);
      expect(given).toEqual(one.gives);
    });
});
