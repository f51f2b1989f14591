/** One wall-clock moment that several recordings show: it goes on while all of them can follow. */

const STEP_MS = 200;
/** A recording that has not come by then is waited for no longer. */
const MOST_HELD_MS = 8_000;
/** Recordings end a little before now. */
const BEHIND_MS = 2_000;

/** Told the moment, and whether it goes on; answers whether it is there (or has nothing to show). */
export type Follower = (at: number, moving: boolean) => boolean;

export class Moment {
  at: number | null;
  playing = true;
  readonly #followers = new Set<Follower>();
  readonly #onChange: () => void;
  #last = 0;
  #heldSince: number | null = null;
  #moving = false;

  constructor(at: number | null, onChange: () => void) {
    this.at = at;
    this.#onChange = onChange;
  }

  /** Until the answer is called. */
  start(): () => void {
    this.#last = performance.now();
    const timer = setInterval(() => this.#step(), STEP_MS);
    return () => clearInterval(timer);
  }

  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  seek(at: number): void {
    this.at = Math.min(at, Date.now() - BEHIND_MS);
    this.#onChange();
  }

  toggle(): void {
    this.playing = !this.playing;
    this.#onChange();
  }

  #step(): void {
    const now = performance.now();
    const passed = now - this.#last;
    this.#last = now;
    if (this.at === null) return;
    if (this.#moving) this.at = Math.min(this.at + passed, Date.now() - BEHIND_MS);
    const at = this.at;
    // every one of them is told, whatever the first one says
    const ready = [...this.#followers].map((follower) => follower(at, this.#moving)).every(Boolean);
    if (ready) this.#heldSince = null;
    else this.#heldSince ??= now;
    this.#moving = this.playing && (ready || now - (this.#heldSince ?? now) > MOST_HELD_MS);
    this.#onChange();
  }
}
