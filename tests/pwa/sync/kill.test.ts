// The battery dies at each step in turn: of saving, of sending, of fetching. Nothing saved is lost,
// nothing arrives twice, nothing is half there (P1, P2, properties 3, 4, 17, 18).

import { expect, test } from 'vitest';
import type { Phone } from '../../../pwa/src/store/phone.ts';
import { type Bench, makeBench, newThing, PROJECT, setOp, THING } from './bench-phone.ts';

const STEPS_MAX = 200;

/** Runs a story again and again, dying one step later each time, until it gets through alive. */
async function dyingAtEachStep(
  story: (bench: Bench, kill: (work: () => Promise<unknown>) => Promise<boolean>) => Promise<void>,
): Promise<number> {
  for (let at = 1; at < STEPS_MAX; at++) {
    const bench = makeBench(at);
    let died = false;
    await story(bench, async (work) => {
      bench.dieAt(at);
      const isDone = await work().then(
        () => true,
        () => false,
      );
      died = bench.recharge().died;
      return isDone;
    });
    if (!died) return at;
  }
  throw new Error('it never got through');
}

async function begin(bench: Bench): Promise<Phone> {
  const accounts = bench.start();
  const phone = await accounts.signIn('wang', 'x');
  await accounts.sendNow();
  return phone;
}

/** As after the phone was charged: the app starts and sends what it finds. */
async function restart(bench: Bench): Promise<Phone> {
  const accounts = bench.start();
  const phone = await accounts.open('wang');
  await accounts.sendNow();
  await accounts.sendNow();
  return phone;
}

async function mustAgree(bench: Bench, phone: Phone): Promise<void> {
  // Another tab may have done it, and tells this one in a moment.
  await expect.poll(() => phone.status(), { timeout: 5_000 }).toMatchObject({ waiting: 0, lastError: null });
  const here = (await phone.list(PROJECT, THING, { deleted: true })).map(({ record }) => record);
  const there = bench.server.seenBy(PROJECT, 'wang').filter(({ c }) => c === THING);
  const byId = (a: { r: string }, b: { r: string }): number => (a.r < b.r ? -1 : 1);
  expect(here.sort(byId)).toEqual(there.sort(byId));
}

test('killed while saving, a batch is there whole or not at all, and the numbers go on without a gap', async () => {
  const steps = await dyingAtEachStep(async (bench, kill) => {
    const phone = await begin(bench);
    bench.server.before = () => {
      throw new TypeError('no network');
    };
    const ops = [newThing(phone), newThing(phone)];
    const isSaved = await kill(() => phone.write(PROJECT, ops));
    bench.server.before = () => undefined;
    const again = await restart(bench);
    const found = await again.list(PROJECT, THING);
    expect([0, 2]).toContain(found.length);
    if (isSaved) expect(found).toHaveLength(2);
    await again.write(PROJECT, [newThing(again)]);
    const last = await restart(bench);
    expect(bench.server.devices.get(last.device)?.last).toBe(found.length > 0 ? 2 : 1);
    await mustAgree(bench, last);
  });
  expect(steps).toBeGreaterThan(2);
});

test('killed while sending, every batch arrives exactly once and the refused one stays to be seen', async () => {
  const steps = await dyingAtEachStep(async (bench, kill) => {
    const accounts = bench.start();
    const phone = await accounts.signIn('wang', 'x');
    await accounts.sendNow();
    bench.server.before = () => {
      throw new TypeError('no network');
    };
    const op = newThing(phone);
    await phone.write(PROJECT, [op]);
    await phone.write(PROJECT, [newThing(phone, { owner: 'fan' })]);
    await phone.write(PROJECT, [setOp(op.r, 'note', 'more')]);
    await accounts.sendNow();
    bench.server.before = () => undefined;
    await kill(() => accounts.sendNow());
    const again = await restart(bench);
    expect(bench.server.site(PROJECT).head).toBe(2);
    expect(again.status()).toMatchObject({ waiting: 0, refused: 1 });
    expect(bench.server.site(PROJECT).records.get(op.r)?.f.note).toHaveLength(1);
    await mustAgree(bench, again);
  });
  expect(steps).toBeGreaterThan(5);
});

test('P6 killed while fetching, the next pull goes on and ends as one that was never interrupted', async () => {
  const steps = await dyingAtEachStep(async (bench, kill) => {
    const phone = await begin(bench);
    bench.server.pageRecords = 70;
    for (let i = 0; i < 30; i++) {
      const records = Array.from({ length: 5 }, (_, j) => ({
        c: THING,
        r: phone.newId(),
        set: { title: `${i}.${j}`, owner: 'wang', day: `2026-11-${String(1 + (i % 28)).padStart(2, '0')}` },
      }));
      bench.server.put(PROJECT, records);
    }
    const accounts = bench.start();
    await accounts.open('wang');
    await kill(() => accounts.sendNow());
    await mustAgree(bench, await restart(bench));
  });
  expect(steps).toBeGreaterThan(5);
});

test('P6 a stream cut off anywhere leaves whole batches and a cursor that fits them', async () => {
  for (let share = 0.05; share < 1; share += 0.05) {
    const bench = makeBench();
    const phone = await begin(bench);
    for (let i = 0; i < 30; i++) {
      bench.server.put(
        PROJECT,
        [1, 2, 3].map((j) => ({ c: THING, r: phone.newId(), set: { title: `${j}`, owner: 'wang' } })),
      );
    }
    bench.server.after = (path, response) =>
      path.startsWith('/api/pull') ? cutOff(response, share) : response;
    const accounts = bench.start();
    const cut = await accounts.open('wang');
    await accounts.sendNow();
    const found = await cut.list(PROJECT, THING);
    expect(found.length % 3).toBe(0);
    expect(cut.status().lastError?.code).toBe('offline');
    // M2: who writes now may not claim to have known what has come only in part.
    expect(cut.head(PROJECT)).toBe(0);
    bench.server.after = (_path, response) => response;
    await accounts.sendNow();
    await mustAgree(bench, cut);
    expect(cut.head(PROJECT)).toBe(bench.server.site(PROJECT).head);
  }
});

function cutOff(response: Response, share: number): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const bytes = new Uint8Array(await response.arrayBuffer());
      controller.enqueue(bytes.slice(0, Math.floor(bytes.length * share)));
      controller.error(new TypeError('cut off'));
    },
  });
  return new Response(body, { status: response.status });
}

test('P1 two tabs that save at once never take the same number, and both see everything', async () => {
  const bench = makeBench();
  const one = await begin(bench);
  const two = await bench.start().open('wang');
  let heard = 0;
  two.watch('records', () => heard++);
  const saved = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).write(PROJECT, [newThing(one)])),
  );
  expect([...saved].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(await two.list(PROJECT, THING)).toHaveLength(20);
  await expect.poll(() => heard).toBeGreaterThan(10);
  await expect.poll(() => bench.server.site(PROJECT).head).toBe(20);
});

test('P2 an answer for one tab settles the batch for the other', async () => {
  const bench = makeBench();
  const one = await begin(bench);
  const two = await bench.start().open('wang');
  await one.write(PROJECT, [newThing(one)]);
  await expect.poll(() => two.status().waiting).toBe(0);
  await expect.poll(async () => (await two.outbox()).length).toBe(0);
  expect(bench.server.site(PROJECT).head).toBe(1);
});
