/** What the timeline needs of the API: spans and gaps of a window, pictures of it, and where to play from. */
import type { FootageGap, FootageLoss, FootageSpan, Recordings } from '@novavms/sdk';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client } from '../api/client';
import type { Window } from './window';

/** So much before the end of what is recorded a visit begins, where it is not told when. */
export const NEWEST_MS = 30_000;

const AGAIN_MS = 15_000;

export const iso = (at: number) => new Date(at).toISOString();

export interface Footage {
  spans: FootageSpan[];
  gaps: FootageGap[];
  losses: FootageLoss[];
  percentCovered: number;
  asOf: string | null;
}

/** Whether a span, or a gap, has that moment. */
export const has =
  (at: number) =>
  ({ start, end }: Pick<FootageSpan, 'start' | 'end'>): boolean =>
    Date.parse(start) <= at && at < Date.parse(end);

/** What is played where `wanted` is: that, or, where nothing is recorded, what comes next; the last ten seconds before it for who goes `back`. */
export function playable(found: Footage | undefined, wanted: number, back: boolean): number {
  if (found === undefined || !found.gaps.some(has(wanted))) return wanted;
  const before = found.spans.findLast(({ end }) => Date.parse(end) <= wanted);
  if (back && before !== undefined) return Math.max(Date.parse(before.start), Date.parse(before.end) - 10_000);
  const next = found.spans.find(({ start }) => Date.parse(start) > wanted);
  return next === undefined ? wanted : Date.parse(next.start);
}

/** One answer may not hold it all: at most ten are put together. */
async function read(cameraId: string, { from, to }: Window, signal: AbortSignal): Promise<Footage> {
  const found: Footage = { spans: [], gaps: [], losses: [], percentCovered: 0, asOf: null };
  let start: string | null = iso(from);
  for (let turn = 0; start !== null && turn < 10; turn += 1) {
    const answer: Recordings = await client.cameras.recordings(cameraId, { from: start, to: iso(to) }, { signal });
    found.spans.push(...answer.spans);
    found.gaps.push(...answer.gaps);
    found.losses.push(...answer.losses);
    found.asOf = answer.asOf;
    if (turn === 0) found.percentCovered = answer.percentCovered;
    start = answer.nextFrom;
  }
  return found;
}

export const footage = (cameraId: string, window: Window) =>
  queryOptions({
    queryKey: ['recordings', cameraId, window.from, window.to],
    queryFn: ({ signal }) => read(cameraId, window, signal),
    // until the gateway has told of all of it, which may be long after it
    refetchInterval: ({ state: { data } }) => (data?.asOf != null && Date.parse(data.asOf) >= window.to ? false : AGAIN_MS),
    placeholderData: keepPreviousData,
  });

export const strip = (cameraId: string, window: Window, count: number) =>
  queryOptions({
    queryKey: ['picture', 'strip', cameraId, window.from, window.to, count],
    queryFn: ({ signal }) =>
      client.cameras.thumbnails(cameraId, { from: iso(window.from), to: iso(Math.min(window.to, Date.now())), count, width: 160 }, { signal, maxRetries: 0 }),
    staleTime: 60_000,
    retry: false,
  });

/** What the camera saw at that moment. */
export const glance = (cameraId: string, at: number) =>
  queryOptions({
    queryKey: ['picture', 'glance', cameraId, at],
    queryFn: ({ signal }) => client.cameras.thumbnails(cameraId, { from: iso(at), to: iso(at + 1_000), count: 1, width: 240 }, { signal, maxRetries: 0 }),
    staleTime: Infinity,
    retry: false,
  });
