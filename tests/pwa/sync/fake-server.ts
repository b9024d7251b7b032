// A server for the phone's tests, small enough to read: one log and its records per project, the same
// admission and numbering (P1–P8), in memory. It can be cut off, made to forget, or to answer badly.

import { admit } from '../../../pwa/src/core/admit.ts';
import { effectiveTime, Malformed, Refused, read } from '../../../pwa/src/core/batch.ts';
import type { Declarations } from '../../../pwa/src/core/declaration.ts';
import { isDeleted, type MergeRecord } from '../../../pwa/src/core/merge.ts';
import { granted, labels } from '../../../pwa/src/core/person.ts';
import type { Answer } from '../../../pwa/src/store/outbox.ts';
import { FakeUploads } from '../photo/fake-uploads.ts';

export interface Member {
  roles: string[];
  teams: string[];
  epoch: number;
}

interface Site {
  head: number;
  readonly records: Map<string, MergeRecord>;
  readonly members: Map<string, Member>;
}

interface Device {
  readonly person: string;
  readonly key: CryptoKey;
  last: number;
  readonly answers: Map<number, Answer>;
}

export type Hook = (path: string, body: unknown) => Response | undefined | Promise<Response | undefined>;

export class FakeServer {
  readonly sites = new Map<string, Site>();
  readonly people = new Map<string, string>();
  readonly devices = new Map<string, Device>();
  readonly declarations: Declarations;
  /** Devices that are signed in. */
  readonly sessions = new Set<string>();
  /** A server (or a proxy) that mistakes everybody for this device. */
  mistaken: string | null = null;
  now = 1_790_000_000_000;
  /** What the network does to a request before the server sees it; throw TypeError for no network. */
  before: Hook = () => undefined;
  /** What it does to the answer: the server has done its work. */
  after: (path: string, response: Response) => Response = (_path, response) => response;
  readonly asked: string[] = [];
  readonly uploads = new FakeUploads();
  pageRecords = 2000;

  constructor(declarations: Declarations) {
    this.declarations = declarations;
  }

  addSite(project: string): void {
    this.sites.set(project, { head: 0, records: new Map(), members: new Map() });
  }

  addPerson(id: string, project: string, roles: string[], teams: string[] = []): void {
    this.people.set(id, id);
    this.site(project).members.set(id, { roles, teams, epoch: 1 });
  }

  site(project: string): Site {
    return this.sites.get(project) as Site;
  }

  /** The server's own batch: computed and core records. */
  put(project: string, records: readonly { c: string; r: string; set: MergeRecord['set'] }[]): void {
    const ops = records.map((record) => ({ k: 'put' as const, ...record }));
    this.#append(project, 'server', 'server', [], [], { base: 0, v: 0, ops }, this.now);
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const path = String(input);
    const body = init?.body ? JSON.parse(String(init.body)) : undefined;
    this.asked.push(`${init?.method ?? 'GET'} ${path}`);
    const early = await this.before(path, body);
    init?.signal?.throwIfAborted();
    if (early) return early;
    const device = new Headers(init?.headers).get('X-Device');
    return this.after(path, await this.#answer(path, body, this.mistaken ?? device));
  };

  async #answer(path: string, body: unknown, id: string | null): Promise<Response> {
    const { pathname, searchParams } = new URL(path, 'http://site');
    if (pathname === '/api/login') return this.#login(body as { name: string; device: { key: JsonWebKey } });
    if (pathname === '/api/logout') {
      if (id) this.sessions.delete(id);
      return new Response(null, { status: 204 });
    }
    const device = this.devices.get(id ?? '');
    if (!device || !id || !this.sessions.has(id)) return problem(401, 'signed_out', 'sign_in');
    if (pathname === '/api/me') return Response.json(this.#me(id));
    if (pathname === '/api/photos/have')
      return Response.json(this.uploads.have((body as { shas: string[] }).shas));
    if (pathname === '/api/push') return this.#push(id, device, body as PushBody);
    if (pathname === '/api/pull') return this.#pull(device, searchParams);
    return problem(404, 'not_found', 'nothing');
  }

  async #login({ name, device }: { name: string; device: { key: JsonWebKey } }): Promise<Response> {
    if (!this.people.has(name)) return problem(401, 'wrong_login', 'fix');
    const curve = { name: 'ECDSA', namedCurve: 'P-256' };
    const id = `${name}-${(device.key.x ?? '').slice(0, 8)}`;
    const key = await crypto.subtle.importKey('jwk', device.key, curve, true, ['verify']);
    if (!this.devices.has(id)) this.devices.set(id, { person: name, key, last: 0, answers: new Map() });
    this.sessions.add(id);
    return Response.json(this.#me(id));
  }

  #me(id: string): unknown {
    const device = this.devices.get(id) as Device;
    const projects = [...this.sites]
      .filter(([, site]) => site.members.has(device.person))
      .map(([project, { head, members }]) => ({
        id: project,
        name: project,
        head,
        ...members.get(device.person),
      }));
    return {
      person: { id: device.person, name: device.person },
      device: id,
      last_n: device.last,
      projects,
      now: this.now,
    };
  }

  async #push(id: string, device: Device, body: PushBody): Promise<Response> {
    if (body.device !== id) return problem(403, 'forbidden', 'ask');
    for (const { payload, sig } of body.batches) {
      if (!(await isSigned(device.key, payload, sig))) return problem(401, 'bad_signature', 'sign_in');
    }
    let expected = device.last + 1;
    for (const { payload } of body.batches) {
      const { n } = JSON.parse(payload) as { n: number };
      if (n > expected) return problem(409, 'gap', 'retry', { expected });
      if (n === expected) expected++;
    }
    try {
      const results = body.batches.map(({ payload }) => this.#admit(id, device, payload, body.sent));
      return Response.json({ now: this.now, results });
    } catch (error) {
      if (error instanceof Malformed) return problem(400, 'malformed', 'fix');
      throw error;
    }
  }

  #admit(id: string, device: Device, payload: string, sent: number): Answer {
    const { n } = JSON.parse(payload) as { n: number };
    const known = device.answers.get(n);
    if (known) return known;
    const answer = this.#judge(id, device, payload, sent, n);
    device.answers.set(n, answer);
    device.last = n;
    return answer;
  }

  #judge(id: string, device: Device, payload: string, sent: number, n: number): Answer {
    try {
      const batch = read(payload);
      const member = this.sites.get(batch.project)?.members.get(device.person);
      if (!member) throw new Refused('forbidden');
      const et = effectiveTime(batch.t, sent, this.now);
      const { roles, teams } = member;
      const held = this.#append(batch.project, device.person, id, roles, teams, batch, et);
      return { n, status: 'applied', seq: this.site(batch.project).head, held };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { code, op, field, reason } = error;
      return { n, status: 'refused', code, op, ...(field && { field }), ...(reason && { reason }) };
    }
  }

  #append(
    project: string,
    person: string,
    device: string,
    roles: readonly string[],
    teams: readonly string[],
    batch: Parameters<typeof admit>[0],
    et: number,
  ): readonly number[] {
    const site = this.site(project);
    const teamsOf = Object.fromEntries([...site.members].map(([id, member]) => [id, member.teams]));
    const actor = { person, device, roles, teams, teamsOf };
    const admitted = admit(batch, actor, site.records, this.declarations, site.head + 1, et);
    site.head++;
    for (const [r, record] of admitted.records) site.records.set(r, structuredClone(record));
    return admitted.held;
  }

  #pull(device: Device, asked: URLSearchParams): Response {
    const site = this.sites.get(asked.get('project') ?? '');
    const member = site?.members.get(device.person);
    if (!site || !member) return problem(403, 'forbidden', 'ask');
    const epoch = asked.get('epoch');
    const isRestart = epoch !== null && Number(epoch) !== member.epoch;
    const from = isRestart ? 0 : Number(asked.get('cursor'));
    const seen = this.seenBy(asked.get('project') as string, device.person);
    const isFresh = from === 0 && epoch === null;
    const newer = seen
      .filter((record) => record.seq > from && !(isFresh && isDeleted(record)))
      .sort((a, b) => a.seq - b.seq);
    const limit = Math.min(Number(asked.get('limit')), this.pageRecords);
    let count = Math.min(limit, newer.length);
    while (count < newer.length && newer[count]?.seq === newer[count - 1]?.seq) count++;
    const page = newer.slice(0, count);
    const more = count < newer.length;
    const audiences = [...labels(this.#actor(site, device.person))];
    const cursor = more ? (page.at(-1)?.seq ?? from) : site.head;
    const header = { head: site.head, cursor, more, epoch: member.epoch, audiences, from };
    return new Response([header, ...page].map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  #actor(site: Site, person: string): Parameters<typeof labels>[0] {
    const member = site.members.get(person) as Member;
    const teamsOf = Object.fromEntries([...site.members].map(([id, { teams }]) => [id, teams]));
    return { person, device: '', roles: member.roles, teams: member.teams, teamsOf };
  }

  /** What property 6 compares a phone with. */
  seenBy(project: string, person: string): MergeRecord[] {
    const site = this.site(project);
    const mine = labels(this.#actor(site, person));
    return [...site.records.values()].filter((record) => granted(record.aud, mine));
  }
}

interface PushBody {
  readonly device: string;
  readonly sent: number;
  readonly batches: readonly { readonly payload: string; readonly sig: string }[];
}

async function isSigned(key: CryptoKey, payload: string, sig: string): Promise<boolean> {
  const how = { name: 'ECDSA', hash: 'SHA-256' };
  return crypto.subtle.verify(how, key, Buffer.from(sig, 'base64url'), new TextEncoder().encode(payload));
}

export function problem(
  status: number,
  code: string,
  remedy: string,
  extra: object = {},
  headers: Record<string, string> = {},
): Response {
  const body = { type: `urn:gongbu:problem:${code}`, status, code, message: code, do: remedy, ...extra };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });
}
