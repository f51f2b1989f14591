/** `client.stream`: what happens, as it happens. @module */
import { errorOf, retryAfter } from '../answers.js';
import { toCamel } from '../casing.js';
import { APIConnectionError, APIError, APITimeoutError, NovaVMSError, ResponseError } from '../errors.js';
import { shapes } from '../generated/shapes.js';
import type { EndItem, HelloItem, PingItem, StreamItem as ToldItem } from '../generated/types.js';
import { Resource } from '../resource.js';
import { EventParser, type ServerSentEvent } from '../sse.js';
import type { Transport } from '../transport.js';

/** Which events to hear of. Nothing: all that the caller may see. */
export interface StreamParams {
  /** Only these types of items. */
  readonly types?: readonly StreamItem['type'][] | undefined;
  readonly cameraId?: string | undefined;
  readonly siteId?: string | undefined;
  /** The `id` of an item seen before: goes on after it. */
  readonly lastEventId?: string | undefined;
}

/** Options of a stream. */
export interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte until the connection counts as lost; the server says something every 15 s. Default 45,000. */
  readonly idleTimeout?: number | undefined;
  /** Called whenever the stream is connected: what you read from then on, and what the stream tells from then on, leave no gap. */
  readonly onConnect?: (() => void) | undefined;
}

/**
 * One thing that happened; its `type` says what its `data` is. `reset` says that the position asked for is too old, or that something was
 * lost: read your lists anew. Later servers may tell of types that are not listed here: pass over them.
 */
export type StreamItem = Exclude<ToldItem, HelloItem | EndItem | PingItem>;

const PATH = '/stream';
const IDLE_TIMEOUT_MS = 45_000;
const MOST_PAUSE_SEC = 60;
/** An item may come twice, after a reconnect: so many ids are kept to know it by. */
const REMEMBERED = 1_024;
/** Of the stream itself, not of what happens. */
const SILENT: ReadonlySet<string> = new Set(['hello', 'ping', 'end']);

/** What happens, as it happens. */
export class Stream extends Resource {
  /**
   * Events as they happen. Iterate it; `break`, or the signal, ends it. A lost connection is made anew, and what happened meanwhile
   * follows. Throws what another try would not mend (no permission, for one), and at the beginning also when `maxRetries` tries all failed.
   *
   * @example
   * ```ts
   * for await (const item of novavms.stream.events({ types: ['camera_status'] })) {
   *   console.log(item.type, item.data);
   * }
   * ```
   */
  events(params: StreamParams = {}, options: StreamOptions = {}): AsyncGenerator<StreamItem, void, undefined> {
    return listen(this.transport, params, options);
  }
}

async function* listen(
  transport: Transport,
  params: StreamParams,
  options: StreamOptions,
): AsyncGenerator<StreamItem, void, undefined> {
  let position = params.lastEventId;
  let everConnected = false;
  const seen = new Set<string>();
  let garbled = 0;
  for (let tried = 0; ; tried += 1) {
    let failure: NovaVMSError;
    const connection = new Connection(transport, options);
    try {
      await connection.open(params, position);
      for await (const event of connection.events()) {
        const silent = SILENT.has(event.event);
        const item = silent ? null : read(event);
        everConnected = true;
        tried = 0;
        position = event.id ?? position;
        if (event.event === 'hello') options.onConnect?.();
        if (item === null) continue;
        garbled = 0;
        if (event.event !== 'reset' && event.id !== null && seen.has(event.id)) continue;
        remember(seen, event.id);
        yield item;
      }
      failure = new APIConnectionError('the stream ended');
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (!(error instanceof NovaVMSError) || !connection.mayPass) throw error;
      if (error instanceof ResponseError && (garbled += 1) > transport.maxRetries) throw error;
      failure = error;
    } finally {
      connection.close();
    }
    if (!everConnected && tried >= transport.maxRetries) throw failure;
    await transport.around.pause(transport.backOff(Math.min(tried, 10), connection.waitSec), options.signal);
  }
}

/** A set knows its members' order: the first one is the oldest. */
function remember(seen: Set<string>, id: string | null): void {
  if (id !== null) seen.add(id);
  for (const oldest of seen) {
    if (seen.size <= REMEMBERED) break;
    seen.delete(oldest);
  }
}

function read({ id, event, data }: ServerSentEvent): StreamItem {
  let told: unknown;
  try {
    told = JSON.parse(data);
  } catch {
    told = null;
  }
  if (typeof told !== 'object' || told === null) throw new ResponseError('an item of the stream is not a JSON object', 200);
  const { at, ...rest } = told as Record<string, unknown>;
  return toCamel({ id, type: event, at, data: rest }, shapes.StreamItem) as StreamItem;
}

/** One connection of a stream. */
class Connection {
  /** Whether another try may go better. */
  mayPass = true;
  waitSec: number | null = null;
  readonly #transport: Transport;
  readonly #options: StreamOptions;
  readonly #ending = new AbortController();
  readonly #stop: () => void;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #silent = false;
  #response: Response | undefined;

  constructor(transport: Transport, options: StreamOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#stop = () => this.#ending.abort(options.signal?.reason);
  }

  async open(params: StreamParams, position: string | undefined): Promise<void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    signal?.addEventListener('abort', this.#stop, { once: true });
    const url = `${this.#transport.root}${PATH}${queryOf(params)}`;
    for (let renewed = false; ; renewed = true) {
      const authorization = await this.#transport.credentials.authorization();
      const headers: Record<string, string> = { accept: 'text/event-stream', 'cache-control': 'no-store' };
      if (authorization !== undefined) headers['authorization'] = authorization;
      if (position !== undefined) headers['last-event-id'] = position;
      this.#heard();
      const response = await this.#caught(() =>
        this.#transport.around.fetch(url, { headers, signal: this.#ending.signal, redirect: 'manual' }),
      );
      if (response.status === 200) {
        this.#response = response;
        break;
      }
      const error = errorOf(response, await this.#caught(() => response.text()));
      if (error instanceof APIError && error.code === 'invalid_token' && !renewed) {
        if (await this.#transport.credentials.refused(authorization)) continue;
      }
      const waitSec = retryAfter(response.headers);
      this.waitSec = waitSec === null ? null : Math.min(waitSec, MOST_PAUSE_SEC);
      this.mayPass = response.status >= 500 || response.status === 429 || response.status === 408;
      throw error;
    }
    if (!(this.#response.headers.get('content-type') ?? '').includes('text/event-stream')) {
      this.mayPass = false;
      throw new ResponseError('the answer is not an event stream; is something between you and the server?', 200);
    }
  }

  async *events(): AsyncGenerator<ServerSentEvent, void, undefined> {
    const reader = this.#response?.body?.getReader();
    if (reader === undefined) return;
    const parser = new EventParser();
    const decoder = new TextDecoder();
    try {
      for (;;) {
        this.#heard();
        const { done, value } = await this.#caught(() => reader.read());
        clearTimeout(this.#idle); // the consumer may take its time
        if (done) return;
        yield* parser.push(decoder.decode(value, { stream: true }));
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#options.signal?.removeEventListener('abort', this.#stop);
    this.#ending.abort();
  }

  /** There was a sign of life: the patience begins anew. */
  #heard(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#silent = true;
      this.#ending.abort();
    }, this.#options.idleTimeout ?? IDLE_TIMEOUT_MS);
  }

  async #caught<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      if (this.#silent) throw new APITimeoutError('the stream went silent');
      throw new APIConnectionError('the stream broke off', { cause });
    }
  }
}

function queryOf(params: StreamParams): string {
  const query = new URLSearchParams();
  if (params.types !== undefined && params.types.length > 0) query.set('types', params.types.join(','));
  if (params.cameraId !== undefined) query.set('camera_id', params.cameraId);
  if (params.siteId !== undefined) query.set('site_id', params.siteId);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
