/**
 * A camera, watched: over the WebSocket into MediaSource; where that does not work low-latency HLS; where that does not either, a picture
 * each second (which the view shows by itself). It heals by itself, and says what it uses and why.
 */
import { APIConnectionError, type Live, type LiveInit, type LiveTier, type LiveWatch } from '@novavms/sdk';
import { client } from '../api/client';
import { sentenceOf } from '../design/surfaces';
import { t } from '../text';
import { playLowLatency } from './low-latency';
import { canPlay, decodable, Sink } from './sink';

export type Way = 'mse' | 'hls' | 'pictures';

export interface LiveState {
  way: Way;
  /** Why it is not a better way; null for the best one. */
  why: string | null;
  phase: 'starting' | 'playing' | 'waiting' | 'ended';
  /** Said in the picture's place, or over the last one. */
  message: string | null;
  tier: LiveTier;
  tierReason: string | null;
  hasAudio: boolean;
  behindSec: number | null;
}

const STEADY_MS = 1_000;
/** So long the picture may stand while bytes come, then the player begins anew; after so many times it steps down. */
const STALL_MS = 5_000;
const MOST_FAULTS = 3;
const FAULTS_WITHIN_MS = 60_000;
/** After this the best way is tried again. */
const UP_AGAIN_MS = 60_000;
const AGAIN_MS = 2_000;
/** HLS that gave no picture is left alone for so long: trying it would take the pictures away that there are. */
const NO_HLS_MS = 600_000;

/** What a way came to. */
type Outcome = { kind: 'over' } | { kind: 'again' } | { kind: 'down'; why: string };

export class LiveSession {
  readonly #cameraId: string;
  readonly #video: HTMLVideoElement;
  readonly #closing = new AbortController();
  readonly #tell: (state: LiveState) => void;
  #state: LiveState;
  #wanted: LiveTier;
  #watch: LiveWatch | null = null;
  #ways: Live | null = null;
  #faults: number[] = [];
  #noHlsUntil = 0;

  constructor(cameraId: string, video: HTMLVideoElement, tier: LiveTier, tell: (state: LiveState) => void) {
    this.#cameraId = cameraId;
    this.#video = video;
    this.#tell = tell;
    this.#state = { way: 'mse', why: null, phase: 'starting', message: null, tier, tierReason: null, hasAudio: false, behindSec: null };
    this.#wanted = tier;
    tell(this.#state);
    void this.#run();
  }

  setTier(tier: LiveTier): void {
    this.#wanted = tier;
    this.#watch?.setTier(tier);
  }

  close(): void {
    this.#closing.abort();
    this.#watch?.close();
  }

  get #ended(): boolean {
    return this.#closing.signal.aborted;
  }

  #become(change: Partial<LiveState>): void {
    if (this.#ended) return;
    this.#state = { ...this.#state, ...change };
    this.#tell(this.#state);
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      let outcome = await this.#mse();
      if (outcome.kind === 'down' && !this.#ended) outcome = await this.#hls(outcome.why);
      if (outcome.kind === 'over') return;
      if (outcome.kind === 'again') {
        await this.#pause(AGAIN_MS);
        continue;
      }
      this.#become({ way: 'pictures', why: outcome.why, phase: 'playing', message: null, behindSec: null, hasAudio: false });
      await this.#pause(UP_AGAIN_MS);
    }
  }

  async #mse(): Promise<Outcome> {
    if (typeof MediaSource !== 'function') return { kind: 'down', why: t.live.why.noMediaSource };
    let sink: Sink | null = null;
    const watch = client.cameras.watchLive(this.#cameraId, { tier: this.#wanted, codecs: decodable() }, { signal: this.#closing.signal });
    this.#watch = watch;
    let down: string | null = null;
    let faulty = false;
    const fault = () => {
      faulty = true;
      watch.close();
    };
    const eye = new Eye(this.#video, fault);
    const begin = (init: LiveInit) => {
      sink?.close();
      sink = null;
      if (!canPlay(init.mime)) {
        down = t.live.why.cannotPlay(init.mime);
        watch.close();
        return;
      }
      sink = new Sink(this.#video, init.mime, fault);
      this.#become({ way: 'mse', why: null, tier: init.tier, tierReason: init.tierReason, hasAudio: init.hasAudio });
    };
    const steady = setInterval(() => {
      if (sink !== null && this.#state.phase === 'playing') this.#become({ behindSec: sink.behindSec });
    }, STEADY_MS);
    eye.onPicture = () => {
      if (this.#state.phase !== 'playing' && sink !== null) this.#become({ phase: 'playing', message: null, behindSec: sink.behindSec });
    };
    try {
      for await (const item of watch) {
        if (item.kind === 'init') begin(item);
        else if (item.kind === 'data') {
          (sink as Sink | null)?.append(item.bytes);
          eye.fed();
        } else if (item.kind === 'waiting') {
          eye.rest();
          this.#become({ phase: 'waiting', message: item.reason === 'connection_lost' ? t.live.connectionLost : item.message, behindSec: null });
        } else if (item.reason === 'no_mse') {
          down = item.message;
        } else {
          this.#become({ phase: 'ended', message: item.message, behindSec: null });
          return { kind: 'over' };
        }
      }
    } catch (error) {
      if (this.#ended) return { kind: 'over' };
      if (!(error instanceof APIConnectionError)) {
        this.#become({ phase: 'ended', message: sentenceOf(error), behindSec: null });
        return { kind: 'over' };
      }
      if (watch.ways !== null) down = t.live.why.noSocket;
      else this.#become({ phase: 'waiting', message: sentenceOf(error) });
    } finally {
      this.#ways = watch.ways;
      clearInterval(steady);
      eye.close();
      (sink as Sink | null)?.close();
    }
    if (down !== null) return { kind: 'down', why: down };
    if (faulty && this.#tooFaulty()) return { kind: 'down', why: t.live.why.stalls };
    return { kind: 'again' };
  }

  async #hls(why: string): Promise<Outcome> {
    const offered = this.#ways?.protocols.find(({ type }) => type === 'hls');
    if (offered === undefined || Date.now() < this.#noHlsUntil) return { kind: 'down', why };
    this.#become({ way: 'hls', why, phase: 'starting', tier: offered.tier, tierReason: null, message: null });
    const address = new URL(offered.url, location.origin).pathname;
    const end = await playLowLatency(this.#video, address, this.#closing.signal, (behindSec) =>
      this.#become({ phase: 'playing', message: null, behindSec }),
    );
    if (this.#ended) return { kind: 'over' };
    if (end === 'broke') return { kind: 'again' };
    this.#noHlsUntil = Date.now() + NO_HLS_MS;
    return { kind: 'down', why };
  }

  #tooFaulty(): boolean {
    const now = Date.now();
    this.#faults = [...this.#faults.filter((at) => now - at < FAULTS_WITHIN_MS), now];
    return this.#faults.length >= MOST_FAULTS;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended) {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, milliseconds);
      this.#closing.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}

/** Watches the pictures themselves: bytes may come and the picture stand all the same. */
class Eye {
  onPicture: () => void = () => undefined;
  readonly #video: HTMLVideoElement;
  readonly #timer: ReturnType<typeof setInterval>;
  #handle = 0;
  #fedAt = 0;
  #seenAt = 0;

  constructor(video: HTMLVideoElement, onStall: () => void) {
    this.#video = video;
    const look = () => {
      this.#seenAt = performance.now();
      this.onPicture();
      this.#handle = video.requestVideoFrameCallback(look);
    };
    this.#handle = video.requestVideoFrameCallback(look);
    this.#timer = setInterval(() => {
      // a page that nobody sees shows no pictures
      if (document.hidden || this.#fedAt === 0) this.rest();
      else if (performance.now() - Math.max(this.#seenAt, this.#fedAt) > STALL_MS) onStall();
    }, STEADY_MS);
  }

  /** Bytes have come: from the first of them on, pictures are due. */
  fed(): void {
    if (this.#fedAt === 0) this.#fedAt = performance.now();
  }

  /** None are due. */
  rest(): void {
    this.#fedAt = 0;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#video.cancelVideoFrameCallback(this.#handle);
  }
}
