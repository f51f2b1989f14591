/**
 * One call of the API: sent, timed, tried again, read.
 *
 * Tried again: answers 408, 429, 502, 503, 504, and lost connections, a body cut in the middle included. Every POST that takes one has an
 * Idempotency-Key, the same in all tries. A POST that takes none (login, pairing) is tried again only where it was surely not handled.
 * @module
 */
import { errorOf, retryAfter, unreadable } from './answers.js';
import { toCamel, toSnake } from './casing.js';
import type { Credentials } from './credentials.js';
import { APIConnectionError, APIError, APITimeoutError, NovaVMSError, ResponseError } from './errors.js';
import { repeatable, uuid, type Operation } from './operation.js';
import { inBrowser, type RequestOptions, type Surroundings } from './options.js';
import { VERSION } from './version.js';

const FIRST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 8_000;
/** Who is told to wait longer than this gets the error instead. */
const MOST_RETRY_AFTER_SEC = 60;
/** Timers that are longer fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** A call's result with what came beside it. */
export interface WithResponse<T> {
  readonly data: T;
  readonly status: number;
  readonly headers: Headers;
  /** Finds the request in the server's log. */
  readonly requestId: string | null;
}

/** What a call is about: values of the path, then names and values of query and body in camelCase. */
export type Parameters = object | undefined;

interface Request {
  readonly operation: Operation;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** Why a try failed, and whether another may follow. */
interface Failure {
  readonly error: NovaVMSError;
  readonly passing: boolean;
  /** The server may have done what was asked. */
  readonly handled: boolean;
  readonly waitSec: number | null;
}

export class Transport {
  readonly root: string;
  readonly around: Surroundings;
  readonly credentials: Credentials;
  readonly timeout: number;
  readonly maxRetries: number;
  readonly #agent: Record<string, string>;

  constructor(root: string, around: Surroundings, credentials: Credentials, timeout: number, maxRetries: number) {
    this.root = root;
    this.around = around;
    this.credentials = credentials;
    this.timeout = timeout;
    this.maxRetries = maxRetries;
    this.#agent = inBrowser() ? {} : { 'user-agent': `novavms-typescript/${VERSION}` };
  }

  /** Calls the operation. Throws a NovaVMSError, or the reason of the options' signal. */
  async call<T>(
    operation: Operation,
    path: readonly string[],
    parameters?: Parameters,
    options?: RequestOptions,
  ): Promise<WithResponse<T>> {
    const request = this.#request(operation, path, parameters, options);
    const retries = options?.maxRetries ?? this.maxRetries;
    let handled = false;
    let renewed = false;
    for (let tried = 0; ; tried += 1) {
      request.signal?.throwIfAborted();
      const found = operation.open ? undefined : this.credentials.authorization();
      const authorization = found instanceof Promise ? await found : found;
      const outcome = await this.#try<T>(request, authorization);
      if (!('error' in outcome)) return outcome;
      const { error } = outcome;
      if (error instanceof APIError && error.status === 404 && operation.method === 'DELETE' && handled) {
        return { data: undefined as T, status: 204, headers: new Headers(), requestId: error.requestId };
      }
      if (error instanceof APIError && error.code === 'invalid_token' && !operation.open && !renewed) {
        renewed = true;
        if (await this.credentials.refused(authorization)) {
          tried -= 1;
          continue;
        }
      }
      handled ||= outcome.handled;
      if (!outcome.passing || tried >= retries || (outcome.handled && !repeatable(operation))) throw error;
      if (outcome.waitSec !== null && outcome.waitSec > MOST_RETRY_AFTER_SEC) throw error;
      await this.around.pause(this.backOff(tried, outcome.waitSec), request.signal);
    }
  }

  /** Milliseconds until the next try: as told, or growing and jittered, so that many clients do not come back at once. */
  backOff(tried: number, waitSec: number | null): number {
    const grown = Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tried) * (0.5 + this.around.random() / 2);
    return waitSec === null ? grown : waitSec * 1000 + this.around.random() * 100;
  }

  /** `/cameras/{}` and its values as an address. Values are escaped; none can leave its place. */
  url(operation: Operation, path: readonly string[], query: string): string {
    let place = 0;
    const filled = operation.path.replace(/\{\}/g, () => {
      const value = path[place++];
      if (typeof value !== 'string' || value === '' || value === '.' || value === '..') {
        throw new TypeError(`${operation.id}: an id must be a string that is not empty`);
      }
      return encodeURIComponent(value);
    });
    return `${this.root}${filled}${query}`;
  }

  #request(
    operation: Operation,
    path: readonly string[],
    parameters: Parameters,
    options: RequestOptions | undefined,
  ): Request {
    const { query, body } = split(operation, parameters);
    const headers: Record<string, string> = { accept: 'application/json', ...this.#agent };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (operation.keyed) headers['idempotency-key'] = headerValue(options?.idempotencyKey) ?? uuid();
    const ifMatch = headerValue(options?.ifMatch);
    if (ifMatch !== undefined) headers['if-match'] = ifMatch;
    const timeout = options?.timeout ?? this.timeout;
    return { operation, url: this.url(operation, path, query), headers, body, timeout, signal: options?.signal };
  }

  async #try<T>(request: Request, authorization: string | undefined): Promise<WithResponse<T> | Failure> {
    const { signal } = request;
    const ending = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      ending.abort();
    }, Math.min(request.timeout, LONGEST_TIMER_MS));
    const stop = () => ending.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const headers = authorization === undefined ? request.headers : { ...request.headers, authorization };
      const init: RequestInit = { method: request.operation.method, headers, signal: ending.signal, redirect: 'manual' };
      if (request.body !== undefined) init.body = request.body;
      const response = await this.around.fetch(request.url, init);
      return await this.#read<T>(request, response, init);
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      if (cause instanceof NovaVMSError) return { error: cause, passing: false, handled: true, waitSec: null };
      return lost(request, cause, late);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  async #read<T>(request: Request, response: Response, init: RequestInit): Promise<WithResponse<T> | Failure> {
    const { status, headers } = response;
    if (status >= 400) return refused(request.operation, response, await response.text());
    const requestId = headers.get('x-request-id');
    const { operation } = request;
    if (operation.reply === 'link') {
      return { data: (await this.#target(request, response, init)) as T, status, headers, requestId };
    }
    if (status < 200 || status >= 300) {
      await response.body?.cancel();
      throw new ResponseError(`${named(request)}: ${unreadable(response)}`, status);
    }
    if (operation.reply === 'bytes') return { data: (await response.blob()) as T, status, headers, requestId };
    const text = await response.text();
    if (operation.reply === 'none') return { data: undefined as T, status, headers, requestId };
    if (!(headers.get('content-type') ?? '').includes('json')) {
      throw new ResponseError(`${named(request)}: ${unreadable(response)}`, status);
    }
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      const error = new ResponseError(`${named(request)}: the answer broke off, or is not JSON`, status);
      return { error, passing: true, handled: true, waitSec: null };
    }
    return { data: toCamel(body, operation.output) as T, status, headers, requestId };
  }

  /** Where a redirect leads. A browser does not tell: there the first byte is asked for, which tells the address. */
  async #target(request: Request, response: Response, init: RequestInit): Promise<string> {
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (location !== null) return new URL(location, request.url).href;
    if (response.type !== 'opaqueredirect') throw new ResponseError(`${named(request)}: ${unreadable(response)}`, response.status);
    const headers = { ...(init.headers as Record<string, string>), range: 'bytes=0-0' };
    const followed = await this.around.fetch(request.url, { ...init, headers, redirect: 'follow' });
    await followed.body?.cancel();
    return followed.url;
  }
}

function named(request: Request): string {
  return `${request.operation.method} ${request.operation.path} (${request.operation.id})`;
}

function refused(operation: Operation, response: Response, text: string): Failure {
  const error = errorOf(response, text);
  const { status } = response;
  const waitSec = retryAfter(response.headers);
  // 409 with Retry-After: another request with this Idempotency-Key is still running.
  const running = status === 409 && waitSec !== null && operation.keyed === true;
  return { error, passing: PASSING.has(status) || running, handled: status >= 500 || status === 408, waitSec };
}

function lost(request: Request, cause: unknown, late: boolean): Failure {
  const code = codeOf(cause);
  const error = late
    ? new APITimeoutError(`${named(request)}: no answer within ${request.timeout} ms`)
    : new APIConnectionError(`${named(request)}: ${NOT_SENT.has(code) ? 'could not connect' : 'the connection was lost'}${code === '' ? '' : ` (${code})`}`, { cause });
  return { error, passing: true, handled: !NOT_SENT.has(code), waitSec: null };
}

/** With these the request never left. */
const NOT_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

function codeOf(cause: unknown): string {
  for (let error = cause, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return '';
}

function split(operation: Operation, parameters: Parameters): { query: string; body: string | undefined } {
  if (parameters === undefined) return { query: '', body: operation.hasBody ? '{}' : undefined };
  const named = toSnake(parameters, operation.input) as Record<string, unknown>;
  const query = new URLSearchParams();
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(named)) {
    if (value === undefined) continue;
    if (operation.hasBody && !operation.query?.includes(name)) body[name] = value;
    else if (value !== null) query.append(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = query.toString();
  return { query: text === '' ? '' : `?${text}`, body: operation.hasBody ? JSON.stringify(body) : undefined };
}

function headerValue(value: string | undefined): string | undefined {
  if (value !== undefined && !/^[\x20-\x7e]{1,255}$/.test(value)) {
    throw new TypeError('a header value must be 1 to 255 printable characters');
  }
  return value;
}
