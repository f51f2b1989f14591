/** One wall-clock moment that several recordings show: it goes on while all of them can follow. */

import type { Speed } from '../player/transport';

const STEP_MS = 200;
/** A recording that has not come by then is waited for no longer. */
const MOST_HELD_MS = 8_000;
/** Recordings end a little before now. */
const BEHIND_MS = 2_000;
/** Of a recording that has not yet told how far its frames are apart. */
const FRAME_MS = 40;

export interface Follower {
  /** Told the moment, and how fast it goes on, 0 where it stands; answers whether it is there (or has nothing to show). */
  follow: (at: number, rate: number) => boolean;
  /** How far its frames are apart; null where it shows none. */
  frameMs: () => number | null;
}

export class Moment {
  at: number | null;
  playing: boolean;
  speed: Speed = '1';
  readonly #followers = new Set<Follower>();
  readonly #onChange: () => void;
  #last = 0;
  #heldSince: number | null = null;
  #moving = false;

  constructor(at: number | null, playing: boolean, onChange: () => void) {
    this.at = at;
    this.playing = playing;
    this.#onChange = onChange;
  }

  /** Until the answer is called. */
  start(): () => void {
    this.#last = performance.now();
    const timer = setInterval(() => this.#go(), STEP_MS);
    return () => clearInterval(timer);
  }

  join(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  seek(at: number): void {
    this.at = Math.min(at, Date.now() - BEHIND_MS);
    this.#moving = false;
    this.#tell();
  }

  toggle(): void {
    this.playing = !this.playing;
    this.#tell();
  }

  /** By one frame of the recording that has the most of them; then it stands. */
  step(direction: 1 | -1): void {
    this.playing = false;
    const known = [...this.#followers].flatMap((follower) => follower.frameMs() ?? []);
    if (this.at !== null) this.seek(this.at + direction * (known.length === 0 ? FRAME_MS : Math.min(...known)));
  }

  hurry(speed: Speed): void {
    this.speed = speed;
    this.#tell();
  }

  #go(): void {
    const now = performance.now();
    const passed = now - this.#last;
    this.#last = now;
    if (this.at !== null && this.#moving) this.at = Math.min(this.at + passed * Number(this.speed), Date.now() - BEHIND_MS);
    this.#tell();
  }

  #tell(): void {
    const { at } = this;
    if (at !== null) {
      const now = performance.now();
      if (!this.playing) this.#moving = false;
      // every one of them is told, whatever the first one says
      const ready = [...this.#followers].map(({ follow }) => follow(at, this.#moving ? Number(this.speed) : 0)).every(Boolean);
      if (ready) this.#heldSince = null;
      else this.#heldSince ??= now;
      this.#moving = this.playing && (ready || now - (this.#heldSince ?? now) > MOST_HELD_MS);
    }
    this.#onChange();
  }
}
