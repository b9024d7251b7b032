// Uploads for the phone's tests: a tus 1.0 server in memory (creation, with data too, HEAD, PATCH), that
// keeps what it got when the line breaks, and the way there for the client library.

import { createHash } from 'node:crypto';
import type { HttpRequest, HttpResponse, HttpStack } from 'tus-js-client';

interface Upload {
  readonly sha: string;
  readonly project: string;
  readonly as: string | undefined;
  readonly length: number;
  bytes: Uint8Array<ArrayBuffer>;
}

type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export class FakeUploads {
  readonly there = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly open = new Map<string, Upload>();
  readonly asked: string[] = [];
  /** Shas in the order that they arrived. */
  readonly order: string[] = [];
  /** The line breaks after so many bytes of one request. */
  cutAfter = Number.POSITIVE_INFINITY;
  /** What the server will not take: sha → status and code. */
  readonly refuses = new Map<string, { readonly status: number; readonly code: string }>();
  /** Bytes that came over the line, again and again counted. */
  received = 0;
  #made = 0;

  have(shas: readonly string[]): { have: string[] } {
    return { have: shas.filter((sha) => this.there.has(sha)) };
  }

  answer(
    method: string,
    path: string,
    headers: ReadonlyMap<string, string>,
    body: Uint8Array<ArrayBuffer>,
  ): Answer {
    this.asked.push(`${method} ${path}`);
    if (method === 'POST') return this.#create(headers, body);
    const upload = this.open.get(path);
    if (!upload) return { status: 404 };
    if (method === 'HEAD') return { status: 200, headers: this.#offset(upload) };
    if (Number(headers.get('upload-offset')) !== upload.bytes.length) return { status: 409 };
    return this.#take(path, upload, body, 204);
  }

  #create(headers: ReadonlyMap<string, string>, body: Uint8Array<ArrayBuffer>): Answer {
    const told = new Map(
      (headers.get('upload-metadata') ?? '').split(',').map((pair) => {
        const [key = '', value = ''] = pair.split(' ');
        return [key, Buffer.from(value, 'base64').toString()];
      }),
    );
    const path = `/api/uploads/${++this.#made}`;
    const upload = {
      sha: told.get('sha256') ?? '',
      project: told.get('project') ?? '',
      as: told.get('as'),
      length: Number(headers.get('upload-length')),
      bytes: new Uint8Array(0),
    };
    const refused = this.refuses.get(upload.sha);
    if (refused) return problem(refused.status, refused.code);
    this.open.set(path, upload);
    return body.length === 0
      ? { status: 201, headers: { location: path, 'upload-offset': '0' } }
      : this.#take(path, upload, body, 201);
  }

  #take(path: string, upload: Upload, body: Uint8Array<ArrayBuffer>, status: number): Answer {
    const taken = body.slice(0, this.cutAfter);
    upload.bytes = new Uint8Array([...upload.bytes, ...taken]);
    this.received += taken.length;
    if (taken.length < body.length) throw new TypeError('the line broke');
    if (upload.bytes.length === upload.length) {
      const sha = createHash('sha256').update(upload.bytes).digest('hex');
      if (sha !== upload.sha) return problem(422, 'wrong_hash');
      this.there.set(sha, upload.bytes);
      this.order.push(sha);
    }
    return { status, headers: { location: path, ...this.#offset(upload) } };
  }

  #offset({ bytes, length }: Upload): Record<string, string> {
    return { 'upload-offset': String(bytes.length), 'upload-length': String(length) };
  }
}

function problem(status: number, code: string): Answer {
  return { status, body: JSON.stringify({ code }) };
}

/** `hasPower` is asked before a request goes out and before its answer is heard. */
export function stackOver(uploads: FakeUploads, hasPower: () => boolean): HttpStack {
  return {
    getName: () => 'fake',
    createRequest(method, url): HttpRequest {
      const headers = new Map<string, string>();
      let progress: (sent: number) => void = () => undefined;
      return {
        getMethod: () => method,
        getURL: () => url,
        setHeader: (name, value) => void headers.set(name.toLowerCase(), value),
        getHeader: (name) => headers.get(name.toLowerCase()),
        setProgressHandler: (fn) => {
          progress = fn;
        },
        async send(body: Blob | null): Promise<HttpResponse> {
          const bytes = new Uint8Array(body ? await body.arrayBuffer() : new ArrayBuffer(0));
          if (!hasPower()) throw new TypeError('the battery is flat');
          const { pathname } = new URL(url, 'http://site');
          const answer = uploads.answer(method, pathname, headers, bytes);
          progress(bytes.length);
          if (!hasPower()) throw new TypeError('the battery is flat');
          return {
            getStatus: () => answer.status,
            getHeader: (name) => answer.headers?.[name.toLowerCase()],
            getBody: () => answer.body ?? '',
            getUnderlyingObject: () => null,
          };
        },
        abort: async () => undefined,
        getUnderlyingObject: () => null,
      };
    },
  };
}
