/**
 * Live video over WebRTC, as `client.cameras.watchWebRtc` tells it: WHEP (draft-ietf-wish-whep) without trickle ICE. Only browsers have
 * what it needs.
 * @module
 */
import { errorOf, unreadable } from './answers.js';
import { APIConnectionError, APITimeoutError, NovaVMSError, ResponseError } from './errors.js';
import type { Live, LiveProtocol } from './generated/types.js';
import type { Transport } from './transport.js';
import { noWay, reached, untilClosed, type Ask, type LiveEnd, type LiveTier, type LiveWaiting, type WatchLiveParams } from './way.js';

/** Options of watching by WebRTC. */
export interface WatchWebRtcOptions {
  readonly signal?: AbortSignal | undefined;
  /** What `cameras.live` has just answered for the same camera and parameters: saves asking again. */
  readonly ways?: Live | undefined;
  /** Milliseconds from the answer until the connection counts as failed. Default 10,000. */
  readonly connectTimeout?: number | undefined;
  /** STUN and TURN servers. Default none: the other end is a server, which is to be reached at its own address. */
  readonly iceServers?: readonly IceServer[] | undefined;
}

/** As RTCIceServer. */
export interface IceServer {
  readonly urls: string | string[];
  readonly username?: string;
  readonly credential?: string;
}

/** The browser's MediaStream, where TypeScript knows it (lib "DOM"). */
export type BrowserStream = typeof globalThis extends { MediaStream: { prototype: infer Found } } ? Found : unknown;

/** For a video element's `srcObject`. Its first picture comes with the camera's next key frame. */
export interface WebRtcStream {
  readonly kind: 'stream';
  readonly stream: BrowserStream;
  readonly hasAudio: boolean;
  readonly tier: LiveTier;
}

/** Media can come now. */
export interface WebRtcConnected {
  readonly kind: 'connected';
}

/** `waiting`, reason `connection_lost`: it may come back by itself. `end`, the last item: see `watchWebRtc` for its reasons. */
export type WebRtcItem = WebRtcStream | WebRtcConnected | LiveWaiting | LiveEnd;

const CONNECT_TIMEOUT_MS = 10_000;
/** So long candidates are waited for; the offer then goes with those that there are, for more can't be told later. */
const GATHER_MS = 1_000;
const SDP = 'application/sdp';

/** A camera that is watched: iterate it, once. `break`, the signal or `close` ends it. */
export class WebRtcWatch implements AsyncIterable<WebRtcItem> {
  readonly #transport: Transport;
  readonly #ask: Ask;
  readonly #params: WatchLiveParams;
  readonly #options: WatchWebRtcOptions;
  readonly #closing = new AbortController();
  #connection: RTCPeerConnection | null = null;
  #session: string | null = null;
  #ways: Live | null;
  #buffered = { delay: 0, count: 0 };

  /** @internal */
  constructor(transport: Transport, ask: Ask, params: WatchLiveParams, options: WatchWebRtcOptions) {
    this.#transport = transport;
    this.#ask = ask;
    this.#params = params;
    this.#options = options;
    this.#ways = options.ways ?? null;
  }

  /** What the server said of the ways to watch this camera. */
  get ways(): Live | null {
    return this.#ways;
  }

  /**
   * Milliseconds that pictures took lately from the other end until they were decoded: their wait in the jitter buffer since the last
   * call, and half a round trip. What the camera and the way from it take is not known here. null: nothing has come to measure.
   */
  async latency(): Promise<number | null> {
    let waitedSec: number | null = null;
    let roundTripSec: number | null = null;
    const report: Iterable<Report> = (await this.#connection?.getStats())?.values() ?? [];
    for (const { type, kind, nominated, currentRoundTripTime, jitterBufferDelay = 0, jitterBufferEmittedCount: count = 0 } of report) {
      if (type === 'candidate-pair' && nominated === true) roundTripSec = currentRoundTripTime ?? roundTripSec;
      if (type !== 'inbound-rtp' || kind !== 'video') continue;
      const emitted = count - this.#buffered.count;
      if (emitted > 0) waitedSec = (jitterBufferDelay - this.#buffered.delay) / emitted;
      this.#buffered = { delay: jitterBufferDelay, count };
    }
    return waitedSec === null ? null : (waitedSec + (roundTripSec ?? 0) / 2) * 1000;
  }

  close(): void {
    this.#closing.abort();
  }

  [Symbol.asyncIterator](): AsyncGenerator<WebRtcItem, void, undefined> {
    return untilClosed(this.#watch(), this.#closing, this.#options.signal, () => {
      this.#connection?.close();
      this.#forget();
    });
  }

  async *#watch(): AsyncGenerator<WebRtcItem, void, undefined> {
    if (typeof RTCPeerConnection !== 'function') throw new TypeError('there is no RTCPeerConnection here: WebRTC needs a browser');
    const closed = this.#closing.signal;
    const { tier = 'main', codecs = ['h264'] } = this.#params;
    this.#ways ??= await this.#ask({ tier, codecs: codecs.join(',') }, { signal: closed });
    closed.throwIfAborted();
    const offered = this.#ways.protocols.find(({ type }) => type === 'webrtc');
    if (offered === undefined) {
      yield noWay(this.#ways, 'webrtc');
      return;
    }
    const connection = new RTCPeerConnection({ iceServers: [...(this.#options.iceServers ?? [])], bundlePolicy: 'max-bundle' });
    this.#connection = connection;
    const stream = new MediaStream();
    connection.ontrack = ({ track }) => stream.addTrack(track);
    connection.addTransceiver('video', { direction: 'recvonly' });
    connection.addTransceiver('audio', { direction: 'recvonly' });
    const states = new States(connection, closed, this.#options.connectTimeout ?? CONNECT_TIMEOUT_MS);
    try {
      const sdp = await this.#exchange(offered, await offer(connection, closed));
      closed.throwIfAborted();
      await connection.setRemoteDescription({ type: 'answer', sdp }).catch(() => {
        throw new ResponseError('the answer is no session description that this browser takes', 201);
      });
      states.begin();
      yield { kind: 'stream', stream, hasAudio: stream.getAudioTracks().length > 0, tier: offered.tier };
      yield* states;
    } finally {
      states.close();
    }
  }

  /** The answer to the offer. Throws what the API says, APIConnectionError, APITimeoutError. */
  async #exchange({ url }: LiveProtocol, body: string): Promise<string> {
    const { around, root, timeout } = this.#transport;
    const headers = { 'content-type': SDP, accept: SDP };
    const ending = new AbortController();
    const stop = () => ending.abort();
    const timer = setTimeout(stop, timeout);
    this.#closing.signal.addEventListener('abort', stop, { once: true });
    try {
      const response = await around.fetch(reached(root, url), { method: 'POST', headers, body, signal: ending.signal });
      const { status } = response;
      const session = response.headers.get('location');
      if (status === 201 && session !== null) this.#session = reached(root, session);
      const text = await response.text();
      if (status >= 400) throw errorOf(response, text);
      if (status !== 201 || !(response.headers.get('content-type') ?? '').includes(SDP)) throw new ResponseError(unreadable(response), status);
      return text;
    } catch (cause) {
      if (cause instanceof NovaVMSError) throw cause;
      if (ending.signal.aborted) throw new APITimeoutError(`no answer to the offer within ${timeout} ms`);
      throw new APIConnectionError('the offer did not get through to the server', { cause });
    } finally {
      clearTimeout(timer);
      this.#closing.signal.removeEventListener('abort', stop);
    }
  }

  /** Also while the page is being left. What ends the media is the connection's own end. */
  #forget(): void {
    if (this.#session === null) return;
    this.#transport.around.fetch(this.#session, { method: 'DELETE', keepalive: true }).catch(() => undefined);
    this.#session = null;
  }
}

/** Members of RTCStats that are read here. */
interface Report {
  readonly type: string;
  readonly kind?: string;
  readonly nominated?: boolean;
  readonly currentRoundTripTime?: number;
  readonly jitterBufferDelay?: number;
  readonly jitterBufferEmittedCount?: number;
}

/** With all candidates, or those of the first second. */
async function offer(connection: RTCPeerConnection, closed: AbortSignal): Promise<string> {
  await connection.setLocalDescription();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS);
    const look = () => {
      if (connection.iceGatheringState !== 'complete' && !closed.aborted) return;
      clearTimeout(timer);
      resolve();
    };
    connection.addEventListener('icegatheringstatechange', look);
    closed.addEventListener('abort', look, { once: true });
    look();
  });
  closed.throwIfAborted();
  return connection.localDescription?.sdp ?? '';
}

/** What becomes of a connection. */
class States implements AsyncIterable<WebRtcItem> {
  readonly #connection: RTCPeerConnection;
  readonly #closed: AbortSignal;
  readonly #timeoutMs: number;
  readonly #items: WebRtcItem[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #everConnected = false;
  #awaited: (() => void) | null = null;
  readonly #look = () => this.#take();
  readonly #wake = () => this.#awaited?.();

  constructor(connection: RTCPeerConnection, closed: AbortSignal, timeoutMs: number) {
    this.#connection = connection;
    this.#closed = closed;
    this.#timeoutMs = timeoutMs;
    connection.addEventListener('connectionstatechange', this.#look);
    closed.addEventListener('abort', this.#wake, { once: true });
  }

  /** From now on it is to connect. */
  begin(): void {
    this.#timer = setTimeout(() => this.#end(), this.#timeoutMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#connection.removeEventListener('connectionstatechange', this.#look);
    this.#closed.removeEventListener('abort', this.#wake);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WebRtcItem, void, undefined> {
    while (!this.#closed.aborted) {
      const item = this.#items.shift();
      if (item === undefined) {
        await new Promise<void>((resolve) => (this.#awaited = resolve));
        continue;
      }
      yield item;
      if (item.kind === 'end') return;
    }
  }

  #take(): void {
    const { connectionState } = this.#connection;
    if (connectionState === 'connected') {
      clearTimeout(this.#timer);
      this.#everConnected = true;
      this.#tell({ kind: 'connected' });
    } else if (connectionState === 'disconnected' && this.#everConnected) {
      this.#tell({ kind: 'waiting', reason: 'connection_lost', message: 'The connection is lost; it may come back.' });
    } else if (connectionState === 'failed' || connectionState === 'closed') {
      this.#end();
    }
  }

  #end(): void {
    this.#tell(
      this.#everConnected
        ? { kind: 'end', reason: 'connection_lost', message: 'The connection is lost.' }
        : { kind: 'end', reason: 'connection_failed', message: 'No WebRTC connection could be made.' },
    );
  }

  #tell(item: WebRtcItem): void {
    this.#items.push(item);
    this.#awaited?.();
  }
}
