// Paths, invites and drafts: what stands in an address finds the right page, whatever people paste.
// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { draftPlace } from '../../../pwa/src/ui/draft-place.ts';
import { codeIn, qrImage, rolesToGive } from '../../../pwa/src/ui/invite.ts';
import { find, href } from '../../../pwa/src/ui/router.svelte.ts';

const routes = [
  { path: '/' },
  { path: '/k/:kind/new' },
  { path: '/k/:kind/calendar' },
  { path: '/k/:kind/:r/edit' },
  { path: '/r/:r' },
];

test('a path finds its route and what stands in its places', () => {
  expect(find(routes, '/')?.route.path).toBe('/');
  expect(find(routes, '/k/labour.checkin/new')).toMatchObject({ params: { kind: 'labour.checkin' } });
  expect(find(routes, '/k/labour.checkin/0198-a/edit')?.params).toEqual({
    kind: 'labour.checkin',
    r: '0198-a',
  });
  expect(find(routes, '/r/a%2Fb/')?.params).toEqual({ r: 'a/b' });
  expect(find(routes, '/nowhere')).toBeUndefined();
});

test('a stray percent sign in an address breaks nothing', () => {
  expect(find(routes, '/r/100%')?.params).toEqual({ r: '100%' });
});

test('a link is made from its pattern, and finds back', () => {
  const path = href('/k/:kind/:r/edit', { kind: 'a.b', r: 'x/y z' });
  expect(path).toBe('/k/a.b/x%2Fy%20z/edit');
  expect(find(routes, path)?.params).toEqual({ kind: 'a.b', r: 'x/y z' });
});

test('an invite is understood as a link, as a code, and with spaces from paper', () => {
  expect(codeIn('https://site.example/enrol?code=K7QM2XPD')).toBe('K7QM2XPD');
  expect(codeIn('  K7QM 2XPD ')).toBe('K7QM2XPD');
  expect(codeIn('https://site.example/other?code=K7QM2XPD')).toBeUndefined();
  expect(codeIn('https://site.example/enrol')).toBeUndefined();
  expect(codeIn('gongbu:place:p:x:c')).toBeUndefined();
  expect(codeIn('')).toBeUndefined();
});

test('a foreman invites workers only, the office everyone but a manager', () => {
  expect(rolesToGive(['foreman'])).toEqual(['worker']);
  expect(rolesToGive(['office'])).not.toContain('manager');
  expect(rolesToGive(['worker', 'manager'])).toContain('manager');
});

test('a QR code is shown as a picture, where nothing in it can run', () => {
  expect(qrImage('<svg><script>1</script></svg>')).toMatch(/^data:image\/svg\+xml,%3Csvg%20xmlns/);
});

test('a draft leads back to the form it was begun in', () => {
  expect(draftPlace('form/p1/labour.checkin/new')).toEqual({
    project: 'p1',
    kind: 'labour.checkin',
    path: '/k/labour.checkin/new',
  });
  expect(draftPlace('form/p1/labour.checkin/repair-7')?.path).toBe('/k/labour.checkin/new?repair=7');
  expect(draftPlace('form/p1/labour.checkin/0198')?.path).toBe('/k/labour.checkin/0198/edit');
  expect(draftPlace('something else')).toBeUndefined();
});
