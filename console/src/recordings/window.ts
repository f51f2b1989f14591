/** The stretch of time that a timeline shows. */

/** Milliseconds since 1970. */
export interface Window {
  from: number;
  to: number;
}

export const HOUR_MS = 3_600_000;

/** A window of this length that ends now, or has `around` in its middle. */
export function windowOf(lengthMs: number, around: number | null): Window {
  const now = Math.ceil(Date.now() / 10_000) * 10_000;
  const to = around === null ? now : Math.min(now, around + lengthMs / 2);
  return { from: to - lengthMs, to };
}

/** What a visit begins with: ten minutes of a camera that is new, else an hour. */
export function firstWindow(createdAt: string, around: number | null): Window {
  return windowOf(Date.now() - Date.parse(createdAt) < HOUR_MS / 3 ? HOUR_MS / 6 : HOUR_MS, around);
}

export interface Seen {
  at: number | null;
  window: Window;
}

/** The window goes with what is played in it: this is the next one, where `at` has just left it. Null where it stays: also where it was
 * chosen elsewhere meanwhile, or showed another time before. */
export function nextWindow(before: Seen, { at, window }: Seen): Window | null {
  const sees = (time: number) => window.from <= time && time <= window.to;
  if (at === null || before.at === null || before.window !== window || !sees(before.at) || sees(at)) return null;
  return windowOf(window.to - window.from, at);
}
