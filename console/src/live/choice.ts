/** Which way to a live picture a person wants first, remembered in this browser. */
import { useSyncExternalStore } from 'react';
import type { VideoWay } from './way';

/** `auto`: the server's order. */
export type Choice = 'auto' | VideoWay;

const KEY = 'novavms.live.way';
export const CHOICES: readonly Choice[] = ['auto', 'mse', 'webrtc', 'hls'];
const listeners = new Set<() => void>();
let now: Choice | null = null;

function read(): Choice {
  try {
    return CHOICES.find((each) => each === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

export function choose(choice: Choice): void {
  now = choice;
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // no storage: as long as the page lives
  }
  for (const listener of listeners) listener();
}

export function useChoice(): Choice {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => (now ??= read()),
  );
}
