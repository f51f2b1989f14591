/** What is looked at stands in the address, so that a reload and a link that is passed on lead to the same picture. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, type RefObject } from 'react';
import { iso } from './footage';
import { HOUR_MS, type Window } from './window';

/** As in the address: times of ISO 8601. `from` and `to`: of the timeline. */
export interface Address {
  at?: string | undefined;
  /** It stands there, and does not play. */
  still?: true | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

export interface RecordingsSearch extends Address {
  camera?: string | string[] | undefined;
}

export interface Looking {
  at: number | null;
  still: boolean;
  window: Window;
}

/** What a page begins with. */
export interface Start {
  at: number | null;
  still: boolean;
  window: Window | null;
}

/** What is looked at now, for whoever shows other cameras. */
export type LookingRef = RefObject<(() => Looking) | null>;

const LOOK_MS = 400;
/** What plays has another moment all the time: it is written when it went so far. */
const FAR_MS = 5_000;
const LONGEST_MS = 26 * HOUR_MS;

export const addressOf = ({ at, still, window }: Looking): Address => ({
  at: at === null ? undefined : iso(at),
  still: still && at !== null ? true : undefined,
  from: iso(window.from),
  to: iso(window.to),
});

const time = (text: string | undefined) => (text === undefined || Number.isNaN(Date.parse(text)) ? null : Date.parse(text));

/** What an address says; null for what it does not say, or not sensibly. */
export function startOf(address: Address): Start {
  const [at, from, to] = [time(address.at), time(address.from), time(address.to)];
  const window = from !== null && to !== null && to - from >= 60_000 && to - from <= LONGEST_MS ? { from, to } : null;
  return { at, still: address.still === true && at !== null, window };
}

/** Keeps the address to what `look` says, and lets `looking` ask it. */
export function useAddress(looking: LookingRef, look: () => Looking): void {
  const navigate = useNavigate({ from: '/recordings' });
  const written = useRef<Looking | null>(null);
  useEffect(() => {
    looking.current = look;
  });
  useEffect(() => {
    const timer = setInterval(() => {
      const now = looking.current?.();
      const last = written.current;
      if (now === undefined || (last !== null && same(last, now))) return;
      written.current = now;
      void navigate({ search: (search) => ({ ...search, ...addressOf(now) }), replace: true, resetScroll: false });
    }, LOOK_MS);
    return () => {
      clearInterval(timer);
      looking.current = null;
    };
  }, [looking, navigate]);
}

function same(last: Looking, now: Looking): boolean {
  if (last.still !== now.still || last.window.from !== now.window.from || last.window.to !== now.window.to) return false;
  if (last.at === null || now.at === null) return last.at === now.at;
  return now.still ? last.at === now.at : Math.abs(last.at - now.at) < FAR_MS;
}
