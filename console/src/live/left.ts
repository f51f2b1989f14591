/** Ways that showed no picture, and when they are tried again: after a minute, and each time after twice as long, up to ten. */
import type { Lasting, VideoWay } from './way';

const FIRST_MS = 60_000;
const LONGEST_MS = 600_000;

interface Entry {
  why: string;
  until: number;
  times: number;
}

type Entries = Map<VideoWay, Entry>;

/** What the network or the browser does not let through is left for all cameras of the page: the next one need not wait for it. */
const everywhere: Entries = new Map();

export class Left {
  readonly #here: Entries = new Map();

  /** Why the way is left; null: it is not. */
  why(way: VideoWay): string | null {
    return this.#entry(way)?.why ?? null;
  }

  /** When it is tried again, on the clock of `Date.now()`; Infinity: never. */
  until(way: VideoWay): number {
    return this.#entry(way)?.until ?? 0;
  }

  leave(way: VideoWay, why: string, lasting: Lasting): void {
    const entries = lasting === 'camera' ? this.#here : everywhere;
    const before = entries.get(way);
    // another camera has just found the same
    if (before !== undefined && before.until > Date.now()) return;
    const times = before === undefined ? 0 : before.times + 1;
    const pause = lasting === 'browser' ? Infinity : Math.min(LONGEST_MS, FIRST_MS * 2 ** times);
    entries.set(way, { why, until: Date.now() + pause, times });
  }

  /** As the network has changed. What the browser can't do stays. */
  makeDue(): void {
    for (const entry of [...this.#here.values(), ...everywhere.values()]) if (entry.until !== Infinity) entry.until = 0;
  }

  takeUp(way: VideoWay): void {
    this.#here.delete(way);
    everywhere.delete(way);
  }

  #entry(way: VideoWay): Entry | undefined {
    const [here, there] = [this.#here.get(way), everywhere.get(way)];
    if (here === undefined || there === undefined) return here ?? there;
    return here.until > there.until ? here : there;
  }
}
