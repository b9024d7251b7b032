// The declarations of this build: an asset with its hash in its name, fetched until it comes.

import { afterEach, expect, test, vi } from 'vitest';
import { fetchDeclarations } from '../../../pwa/src/declared.ts';
import core from '../../../shared/modules/core.json';
import labour from '../../../shared/modules/labour.json';

const ADDRESS = /^\/assets\/declared-[0-9a-f]{12}\.json$/;

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('the declarations are read from an address that names their bytes', async () => {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (address: string) => {
    asked.push(address);
    return Response.json([core, labour]);
  });
  const declarations = await fetchDeclarations();
  expect(declarations.v).toBe(core.version + labour.version);
  expect(declarations.kind('labour.checkin')?.firstState).toBe('submitted');
  expect(asked).toEqual([expect.stringMatching(ADDRESS)]);
});

test('a first visit whose network fails half way gets them when it is back', async () => {
  vi.useFakeTimers();
  let tries = 0;
  vi.stubGlobal('fetch', async () => {
    tries += 1;
    if (tries === 1) throw new TypeError('no network');
    return tries === 2 ? new Response('starting', { status: 503 }) : Response.json([core]);
  });
  const coming = fetchDeclarations();
  await vi.runAllTimersAsync();
  expect((await coming).kind('core.project')).toBeDefined();
  expect(tries).toBe(3);
});
