/** Live video over a WebSocket, as `client.cameras.watchLive` tells it. @module */
import { toCamel } from './casing.js';
import { APIConnectionError, APIError, NovaVMSError } from './errors.js';
import type { Live } from './generated/types.js';
import { inBrowser } from './options.js';
import type { Transport } from './transport.js';
import { noWay, reached, untilClosed, type Ask, type LiveEnd, type LiveTier, type LiveWaiting, type WatchLiveParams } from './way.js';

/** Options of watching. */
export interface WatchLiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** What `cameras.live` has just answered for the same camera and parameters: saves asking again before the first connection. */
  readonly ways?: Live | undefined;
  /** Milliseconds without a word until the connection counts as lost, while pictures should come. Default 15,000. */
  readonly idleTimeout?: number | undefined;
}

/** The bytes that follow are of this stream: make a new SourceBuffer, or change the type of the one you have. */
export interface LiveInit {
  readonly kind: 'init';
  /** For `MediaSource.addSourceBuffer`. */
  readonly mime: string;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly hasAudio: boolean;
  readonly tier: LiveTier;
  /** Why it is not the tier that was asked for: `no_sub_stream`, `uplink`, `cpu`, `codec`, `sub_failed`. */
  readonly tierReason: string | null;
}

/** A part of a fragmented MP4, for `SourceBuffer.appendBuffer` as it is. */
export interface LiveData {
  readonly kind: 'data';
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type LiveItem = LiveInit | LiveData | LiveWaiting | LiveEnd;

const IDLE_TIMEOUT_MS = 15_000;
/** The server has nothing to say while it waits for the camera. */
const IDLE_WAITING_MS = 60_000;
/** So much may wait for whoever iterates; who is slower begins anew, with the newest picture. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;
const FINAL: ReadonlySet<string> = new Set(['revoked', 'camera_deleted', 'codec_unsupported']);

/** A camera that is watched: iterate it. `break`, the signal or `close` ends it. */
export class LiveWatch implements AsyncIterable<LiveItem> {
  readonly #transport: Transport;
  readonly #ask: Ask;
  readonly #options: WatchLiveOptions;
  readonly #params: WatchLiveParams;
  readonly #codecs: string;
  readonly #closing = new AbortController();
  #tier: LiveTier;
  #ways: Live | null = null;
  #socket: Socket | null = null;

  /** @internal */
  constructor(transport: Transport, ask: Ask, params: WatchLiveParams, options: WatchLiveOptions) {
    this.#transport = transport;
    this.#ask = ask;
    this.#options = options;
    this.#params = params;
    this.#tier = params.tier ?? 'main';
    this.#codecs = (params.codecs ?? ['h264']).join(',');
  }

  /** The tier that was asked for last. */
  get tier(): LiveTier {
    return this.#tier;
  }

  /** What the server said last of the ways to watch this camera. */
  get ways(): Live | null {
    return this.#ways;
  }

  /** Whether there is a connection to the server now. */
  get isOpen(): boolean {
    return this.#socket?.isOpen === true;
  }

  /** The next `init` is of this tier. */
  setTier(tier: LiveTier): void {
    if (tier === this.#tier) return;
    this.#tier = tier;
    this.#socket?.ask(tier);
  }

  close(): void {
    this.#closing.abort();
  }

  [Symbol.asyncIterator](): AsyncGenerator<LiveItem, void, undefined> {
    return untilClosed(this.#watch(), this.#closing, this.#options.signal, () => this.#disconnect());
  }

  async *#watch(): AsyncGenerator<LiveItem, void, undefined> {
    const { maxRetries, around } = this.#transport;
    const closed = this.#closing.signal;
    let everOpen = false;
    for (let tried = 0; ; tried += 1) {
      let failure: NovaVMSError;
      try {
        const address = await this.#address();
        if (typeof address !== 'string') {
          yield address;
          return;
        }
        const tier = this.#tier;
        const socket = new Socket(address, closed, this.#options.idleTimeout ?? IDLE_TIMEOUT_MS);
        this.#socket = socket;
        await socket.opened;
        everOpen = true;
        if (this.#tier !== tier) socket.ask(this.#tier);
        for await (const item of socket) {
          if (item.kind === 'data') tried = 0;
          if (item.kind === 'end' && !FINAL.has(item.reason)) break;
          yield item;
          if (item.kind === 'end') return;
        }
        failure = new APIConnectionError('the live connection ended');
      } catch (error) {
        if (!(error instanceof NovaVMSError) || !passes(error)) throw error;
        failure = error;
      } finally {
        this.#disconnect();
      }
      if (closed.aborted) return;
      if (!everOpen && tried >= maxRetries) throw failure;
      if (everOpen) yield { kind: 'waiting', reason: 'connection_lost', message: 'The connection is lost; it is made anew.' };
      await around.pause(this.#transport.backOff(Math.min(tried, 10), null), closed);
    }
  }

  #disconnect(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  /** Of the WebSocket; or the end, where there is none. */
  async #address(): Promise<string | LiveEnd> {
    const known = this.#ways === null && this.#tier === (this.#params.tier ?? 'main') ? this.#options.ways : undefined;
    const ways = known ?? (await this.#ask({ tier: this.#tier, codecs: this.#codecs }, { signal: this.#closing.signal, maxRetries: 0 }));
    this.#ways = ways;
    const offered = ways.protocols.find(({ type }) => type === 'mse');
    if (offered === undefined) return noWay(ways, 'mse');
    const address = reached(this.#transport.root, offered.url).replace(/^http/, 'ws');
    return `${address}?${new URLSearchParams({ tier: this.#tier, codecs: this.#codecs })}`;
  }
}

/** Whether another try may go better. */
function passes(error: NovaVMSError): boolean {
  if (!(error instanceof APIError)) return true;
  return error.status >= 500 || error.status === 429 || error.status === 408;
}

/** One connection: its messages in order. */
class Socket implements AsyncIterable<LiveItem> {
  readonly opened: Promise<void>;
  readonly #socket: WebSocket;
  readonly #idleMs: number;
  readonly #stop = () => this.close();
  readonly #closing: AbortSignal;
  readonly #items: LiveItem[] = [];
  #bytes = 0;
  #over = false;
  #awaited: (() => void) | null = null;
  #refuse: (error: NovaVMSError) => void = () => undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(address: string, closing: AbortSignal, idleMs: number) {
    if (typeof WebSocket !== 'function') throw new TypeError('there is no WebSocket here: live view needs a browser, or Node 22 or later');
    closing.throwIfAborted();
    this.#idleMs = idleMs;
    this.#closing = closing;
    this.#socket = new WebSocket(address);
    this.#socket.binaryType = 'arraybuffer';
    closing.addEventListener('abort', this.#stop, { once: true });
    this.#patience(idleMs);
    this.opened = new Promise((resolve, reject) => {
      this.#socket.onopen = () => resolve();
      this.#refuse = reject;
      const lost = () => {
        reject(new APIConnectionError('no WebSocket to the server'));
        this.close();
      };
      this.#socket.onerror = lost;
      this.#socket.onclose = lost;
    });
    this.opened.catch(() => undefined);
    this.#socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#take(data);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  ask(tier: LiveTier): void {
    if (this.isOpen) this.#socket.send(JSON.stringify({ type: 'tier', tier }));
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#closing.removeEventListener('abort', this.#stop);
    this.#over = true;
    if (inBrowser() && this.#socket.readyState === WebSocket.CONNECTING) {
      // a browser logs an error for a socket that is closed before it is open
      this.#socket.onopen = () => this.#socket.close();
    } else {
      this.#socket.close();
    }
    this.#refuse(new APIConnectionError('closed'));
    this.#awaited?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LiveItem, void, undefined> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        if (item.kind === 'data') this.#bytes -= item.bytes.length;
        yield item;
      } else if (this.#over) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#awaited = resolve));
      }
    }
  }

  #take(data: string | ArrayBuffer): void {
    if (this.#over) return;
    const item = typeof data === 'string' ? read(data) : ({ kind: 'data', bytes: new Uint8Array(data) } as const);
    this.#patience(item?.kind === 'waiting' ? IDLE_WAITING_MS : this.#idleMs);
    if (item === null) return;
    this.#items.push(item);
    if (item.kind === 'data') this.#bytes += item.bytes.length;
    if (this.#bytes > MOST_WAITING_BYTES) {
      this.#items.length = 0;
      this.close();
    }
    this.#awaited?.();
  }

  #patience(milliseconds: number): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(this.#stop, milliseconds);
  }
}

/** A text message; null for what a later server may say. */
function read(text: string): LiveItem | null {
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof told !== 'object' || told === null) return null;
  const { type, ...rest } = told as Record<string, unknown>;
  if (type !== 'init' && type !== 'waiting' && type !== 'end') return null;
  return { kind: type, ...(toCamel(rest, undefined) as object) } as LiveItem;
}
