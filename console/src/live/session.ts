/**
 * A camera, watched by the ways that the server offers, in its order: the first that shows a picture. Where none does, a picture each second
 * (which the view shows by itself). It heals by itself, says what it uses and why, and goes back to a better way once that shows one.
 */
import type { Live, LiveProtocol, LiveTier } from '@novavms/sdk';
import { client } from '../api/client';
import { sentenceOf } from '../design/surfaces';
import { t } from '../text';
import { byHls } from './by-hls';
import { byMse } from './by-mse';
import { byWebRtc } from './by-webrtc';
import type { Choice } from './choice';
import { Left } from './left';
import { decodable } from './sink';
import { down, passes, pause, STEADY_MS, type Down, type LiveState, type Outcome, type Play, type VideoWay, type Way } from './way';

const PLAY: Record<VideoWay, Play> = { mse: byMse, webrtc: byWebRtc, hls: byHls };
const AGAIN_MS = 2_000;
/** After so many stalls a way is left. */
const MOST_STALLS = 3;
const STALLS_WITHIN_MS = 60_000;

export class LiveSession {
  readonly #cameraId: string;
  readonly #video: HTMLVideoElement;
  readonly #choice: Choice;
  readonly #closing = new AbortController();
  readonly #tell: (state: LiveState) => void;
  readonly #left = new Left();
  #state: LiveState;
  #wanted: LiveTier;
  /** Of the way that is played now. */
  #turn = new AbortController();
  #onTier: ((tier: LiveTier) => void) | null = null;
  #stalls: number[] = [];

  constructor(cameraId: string, video: HTMLVideoElement, tier: LiveTier, choice: Choice, tell: (state: LiveState) => void) {
    this.#cameraId = cameraId;
    this.#video = video;
    this.#choice = choice;
    this.#tell = tell;
    this.#state = { way: null, why: null, phase: 'starting', message: null, tier, tierReason: null, hasAudio: false, behindSec: null };
    this.#wanted = tier;
    tell(this.#state);
    addEventListener('online', () => this.#left.makeDue(), { signal: this.#closing.signal });
    void this.#run();
  }

  setTier(tier: LiveTier): void {
    if (tier === this.#wanted) return;
    this.#wanted = tier;
    if (this.#onTier !== null) this.#onTier(tier);
    else void this.#changeTier(this.#turn);
  }

  close(): void {
    this.#closing.abort();
    this.#turn.abort();
  }

  get #ended(): boolean {
    return this.#closing.signal.aborted;
  }

  #become(change: Partial<LiveState>): void {
    if (this.#ended) return;
    this.#state = { ...this.#state, ...change };
    this.#tell(this.#state);
  }

  #end(message: string): void {
    this.#become({ phase: 'ended', message, behindSec: null });
    this.close();
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const ways = await this.#ask();
      if (this.#ended) return;
      if (ways === null) {
        await pause(AGAIN_MS, this.#closing.signal);
        continue;
      }
      if (ways.message !== null && ways.message !== undefined) {
        this.#end(ways.message);
        return;
      }
      const best = this.#order(ways).find((way) => this.#left.why(way) === null);
      if (best === undefined) await this.#pictures(ways);
      else await this.#show(best, ways);
    }
  }

  /** Which ways there are; null where it can't be known now. What another try would not mend ends it. */
  async #ask(): Promise<Live | null> {
    try {
      return await client.cameras.live(
        this.#cameraId,
        { tier: this.#wanted, codecs: decodable().join(',') },
        { signal: this.#closing.signal, maxRetries: 0 },
      );
    } catch (error) {
      if (this.#ended) return null;
      if (!passes(error)) this.#end(sentenceOf(error));
      else if (this.#state.phase !== 'playing') this.#become({ phase: 'waiting', message: sentenceOf(error), behindSec: null });
      return null;
    }
  }

  /** Best first. */
  #order({ protocols }: Live): VideoWay[] {
    const offered = protocols.map(({ type }) => type);
    return offered.toSorted((one, other) => Number(other === this.#choice) - Number(one === this.#choice));
  }

  /** The pictures are the last one, after all that are offered. */
  #better(than: Way, ways: Live): VideoWay[] {
    const order = this.#order(ways);
    return than === 'pictures' ? order : order.slice(0, order.indexOf(than));
  }

  /** Why it is this way and no better one. */
  #why(way: Way, ways: Live): string | null {
    const found = this.#better(way, ways).map((each) => this.#left.why(each)).filter((why) => why !== null);
    const refused = ways.excluded.find(({ type }) => type === this.#choice);
    if (refused !== undefined) found.unshift(refused.message);
    if (found.length > 0) return [...new Set(found)].join(' ');
    if (way === this.#choice) return t.live.why.chosen;
    return ways.protocols.find(({ type }) => type === way)?.reason ?? null;
  }

  async #show(way: VideoWay, ways: Live): Promise<void> {
    const turn = this.#begin();
    const { tier } = offeredOf(ways, way);
    const starting: Partial<LiveState> = this.#state.phase === 'waiting' ? {} : { phase: 'starting', message: null };
    this.#become({ ...starting, way, why: this.#why(way, ways), tier, tierReason: null, behindSec: null });
    const looking = this.#lookUp(way, ways, turn);
    const outcome = await PLAY[way]({
      cameraId: this.#cameraId,
      video: this.#video,
      tier: this.#wanted,
      ways,
      signal: turn.signal,
      tell: (change) => !turn.signal.aborted && this.#become(change),
      onTier: (act) => (this.#onTier = act),
    });
    this.#onTier = null;
    turn.abort();
    await looking;
    await this.#follow(way, outcome);
  }

  async #follow(way: VideoWay, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'over') this.#end(outcome.message);
    else if (outcome.kind === 'down') this.#left.leave(way, outcome.why, outcome.lasting);
    else if (outcome.kind === 'stalled' && this.#tooManyStalls()) this.#left.leave(way, t.live.why.stalls(t.live.way[way]), 'camera');
    else if (outcome.kind !== 'stopped') await pause(AGAIN_MS, this.#closing.signal);
  }

  /** Until a better way shows a picture. */
  async #pictures(ways: Live): Promise<void> {
    const turn = this.#begin();
    this.#become({ way: 'pictures', why: this.#why('pictures', ways), phase: 'playing', message: null, behindSec: null, hasAudio: false });
    await this.#lookUp('pictures', ways, turn);
  }

  #begin(): AbortController {
    this.#turn = new AbortController();
    return this.#turn;
  }

  /** Tries the better ways beside the picture, each at its time, and ends the turn once one shows a picture. */
  async #lookUp(than: Way, ways: Live, turn: AbortController): Promise<void> {
    const better = this.#better(than, ways);
    while (!turn.signal.aborted) {
      await pause(STEADY_MS, turn.signal);
      const way = better.find((each) => this.#left.until(each) <= Date.now());
      // a page that nobody sees shows no pictures
      if (turn.signal.aborted || document.hidden || way === undefined) continue;
      const found = await this.#tried(way, turn.signal);
      if (turn.signal.aborted) return;
      if (found === 'shown') {
        this.#left.takeUp(way);
        turn.abort();
      } else {
        this.#left.leave(way, found.why, found.lasting);
      }
    }
  }

  /** Whether a picture comes by this way, on an element that nobody sees; else why not. */
  async #tried(way: VideoWay, signal: AbortSignal): Promise<'shown' | Down> {
    const none = down(this.#left.why(way) ?? t.live.why.noPicture(t.live.way[way]));
    const ways = await this.#ask();
    if (signal.aborted || ways?.protocols.some(({ type }) => type === way) !== true) return none;
    const spare = document.createElement('video');
    spare.muted = true;
    const trying = new AbortController();
    const stop = () => trying.abort();
    signal.addEventListener('abort', stop);
    let shown = false;
    const tell = ({ phase }: Partial<LiveState>) => {
      shown ||= phase === 'playing';
      if (phase !== undefined) stop();
    };
    const outcome = await PLAY[way]({ cameraId: this.#cameraId, video: spare, tier: this.#wanted, ways, signal: trying.signal, tell, onTier: () => undefined });
    signal.removeEventListener('abort', stop);
    if (shown) return 'shown';
    return outcome.kind === 'down' ? outcome : none;
  }

  /** Of a way that is to be begun anew for it, unless it shows that tier anyway. */
  async #changeTier(turn: AbortController): Promise<void> {
    const ways = await this.#ask();
    const { way, tier } = this.#state;
    const offered = ways?.protocols.find(({ type }) => type === way);
    if (offered !== undefined && offered.tier !== tier) turn.abort();
  }

  #tooManyStalls(): boolean {
    const now = Date.now();
    this.#stalls = [...this.#stalls.filter((at) => now - at < STALLS_WITHIN_MS), now];
    return this.#stalls.length >= MOST_STALLS;
  }
}

function offeredOf({ protocols }: Live, way: VideoWay): LiveProtocol {
  const offered = protocols.find(({ type }) => type === way);
  if (offered === undefined) throw new Error(`${way} is not offered`);
  return offered;
}
