import { expect, test } from 'vitest';
import { beforeReload, writeDown } from '../../../pwa/src/ui/update.svelte.ts';

test('what a form hands over at the last moment is in what the app writes down', async () => {
  let handedOver = '';
  let onDisk = '';
  beforeReload(async () => {
    onDisk = handedOver;
  });
  const stop = beforeReload(() => {
    handedOver = '临边防护缺失';
  });
  await writeDown();
  expect(onDisk).toBe('临边防护缺失');
  stop();
});
