// Requests to the server: the CSRF header, the language, and all trouble as a Problem. No network at
// all is the problem `offline`: a normal state, not an error.

import { Problem, type Trouble } from '../core/problem.ts';

export type Fetch = typeof fetch;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Net {
  /** JSON in, JSON out. */
  call<T>(method: Method, path: string, body?: unknown): Promise<T>;
  /** Lines of text as they come; a stream that breaks off or stalls throws `offline`. */
  lines(path: string): AsyncGenerator<string, void, void>;
  /** A picture, a file. */
  bytes(path: string): Promise<ArrayBuffer>;
}

/** A request that says nothing for so long has gone where phones go in a lift. */
const STALL_MS = 30_000;

/** `device` says which of the people who share this phone asks; each has a session of their own. */
export function createNet(fetcher: Fetch, language: () => string, device: string | null): Net {
  async function send(method: Method, path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const response = await fetcher(path, {
      method,
      signal,
      cache: 'no-store',
      credentials: 'same-origin',
      headers: {
        Accept: 'application/json',
        'Accept-Language': language(),
        'X-Requested-With': 'gongbu',
        ...(device !== null && { 'X-Device': device }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async function whole<T>(
    method: Method,
    path: string,
    body: unknown,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const stall = stallAfter(STALL_MS);
    try {
      return await read(await send(method, path, body, stall.signal));
    } catch (error) {
      throw asProblem(error);
    } finally {
      stall.end();
    }
  }

  return {
    call: <T>(method: Method, path: string, body?: unknown) =>
      whole(method, path, body, async (response) => {
        const text = await response.text();
        return (text === '' ? undefined : JSON.parse(text)) as T;
      }),
    bytes: (path) => whole('GET', path, undefined, (response) => response.arrayBuffer()),

    async *lines(path: string): AsyncGenerator<string, void, void> {
      const stall = stallAfter(STALL_MS);
      try {
        const response = await send('GET', path, undefined, stall.signal);
        yield* linesOf(response, stall.renew);
      } catch (error) {
        throw asProblem(error);
      } finally {
        stall.end();
      }
    },
  };
}

async function* linesOf(response: Response, heard: () => void): AsyncGenerator<string, void, void> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      heard();
      const lines = (rest + part.value).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
  // Every line ends with a line feed, so half a line means that the stream broke off.
  if (rest !== '') throw new TypeError('the answer broke off');
}

function stallAfter(ms: number): { signal: AbortSignal; renew: () => void; end: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new TypeError('no answer'));
  let timer = setTimeout(abort, ms);
  return {
    signal: controller.signal,
    renew() {
      clearTimeout(timer);
      timer = setTimeout(abort, ms);
    },
    end: () => clearTimeout(timer),
  };
}

function asProblem(error: unknown): unknown {
  const isNetwork =
    error instanceof TypeError || (error instanceof DOMException && error.name === 'AbortError');
  return isNetwork ? new Problem({ code: 'offline', do: 'retry' }) : asAnswered(error);
}

/** Not JSON: something between us and the server answered (a portal, a proxy). */
function asAnswered(error: unknown): unknown {
  return error instanceof SyntaxError ? new Problem({ code: 'unavailable', do: 'retry' }) : error;
}

async function problemOf(response: Response): Promise<Problem> {
  const retryAfterMs = retryAfter(response.headers.get('Retry-After'));
  const told = await response
    .json()
    .then((body: unknown) => (isTrouble(body) ? body : null))
    .catch(() => null);
  return new Problem({
    ...(told ?? { code: codeOf(response.status) }),
    status: response.status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function isTrouble(body: unknown): body is Trouble {
  return typeof body === 'object' && body !== null && typeof (body as Trouble).code === 'string';
}

function codeOf(status: number): string {
  const known: Record<number, string> = {
    401: 'signed_out',
    403: 'forbidden',
    404: 'not_found',
    413: 'too_large',
    426: 'client_too_old',
    429: 'too_many_tries',
  };
  return known[status] ?? (status >= 500 ? 'unavailable' : 'malformed');
}

/** Seconds, or a date; the device's clock is not asked for the latter. */
function retryAfter(header: string | null): number | undefined {
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
