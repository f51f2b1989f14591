/** Asking again until something is so. @module */
import { WaitTimeoutError } from './errors.js';
import type { Surroundings } from './options.js';

/** How long to wait, and how to give up. */
export interface WaitOptions {
  /** Milliseconds in all. Default 60,000. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 250;
const MOST_PAUSE_MS = 2_000;
const DEFAULT_TIMEOUT_MS = 60_000;

/** The first answer of `look` that `enough` accepts. Throws WaitTimeoutError with the last one. */
export async function waitFor<T>(
  around: Surroundings,
  look: () => Promise<T>,
  enough: (seen: T) => boolean,
  tell: (last: T) => string,
  options: WaitOptions | undefined,
): Promise<T> {
  const deadline = around.now() + (options?.timeout ?? DEFAULT_TIMEOUT_MS);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, MOST_PAUSE_MS)) {
    const seen = await look();
    if (enough(seen)) return seen;
    const left = deadline - around.now();
    if (left <= 0) throw new WaitTimeoutError<T>(tell(seen), seen);
    await around.pause(Math.min(pause, left), options?.signal);
  }
}
