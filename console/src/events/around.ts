/** An event's neighbours in a list that is narrowed by filters, also where the list is long and the event itself no longer in it. */
import type { ListEventsParams } from '@novavms/sdk';

/** An event, as far as the list goes by it: newest first by when it happened, then by id. */
export interface Listed {
  id: string;
  triggeredAt: string;
}

interface Slice {
  data: Listed[];
  nextCursor: string | null;
}

export type Ask = (params: ListEventsParams) => Promise<Slice>;

/** Events of the list one after the other; `fromTop`: none is newer, `toEnd`: none is older. */
export interface Stretch {
  events: readonly Listed[];
  fromTop: boolean;
  toEnd: boolean;
}

/** Ids; null: there is none, undefined: not known. */
export interface Neighbours {
  newer: string | null | undefined;
  older: string | null | undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** How far above the event is looked for a newer one, the densest lists first. */
const SPANS_MS = [10 * MINUTE_MS, DAY_MS / 6, 4 * DAY_MS, 90 * DAY_MS, 1_825 * DAY_MS];
const MOST_PAGES = 40;
/** A day ends in the easternmost zone 14 hours before it does in UTC. */
const SURE_OF_DAY_MS = DAY_MS - 840 * MINUTE_MS;

/** With all digits, so that words are in the order of times. */
const exact = (at: string) => at.replace(/(?:\.(\d+))?Z$/, (_, fraction: string = '') => `.${fraction.padEnd(6, '0')}Z`);

export function isNewer(one: Listed, than: Listed): boolean {
  const [at, other] = [exact(one.triggeredAt), exact(than.triggeredAt)];
  return at === other ? one.id > than.id : at > other;
}

/** Found by time, not by id: what was acknowledged a moment ago left the list of open events, and still has neighbours in it. */
export function neighbours({ events, fromTop, toEnd }: Stretch, at: Listed): Neighbours {
  const newer = events.findLast((each) => isNewer(each, at));
  const older = events.find((each) => isNewer(at, each));
  const isIn = events.some(({ id }) => id === at.id);
  return {
    newer: newer === undefined ? (fromTop ? null : undefined) : isIn || older !== undefined || toEnd ? newer.id : undefined,
    older: older === undefined ? (toEnd ? null : undefined) : isIn || newer !== undefined || fromTop ? older.id : undefined,
  };
}

/** Asks for the list's beginning, where most reviews are; then for what is just above the event; the whole way down only where a
 * day, which ends at another time in each zone, leaves no other. */
export async function stretchAround(at: Listed, params: ListEventsParams, ask: Ask): Promise<Stretch> {
  const top = await down(at, params, ask, 1);
  if (reaches(top, at)) return { ...top, fromTop: true };
  for (const span of SPANS_MS) {
    const edge = Date.parse(at.triggeredAt) + span;
    if (!isBefore(edge, params.dateTo)) break;
    const found = await down(at, { ...params, dateTo: new Date(edge).toISOString() }, ask, MOST_PAGES);
    if (found.events.some((each) => isNewer(each, at))) return { ...found, fromTop: false };
  }
  return { ...(await down(at, params, ask, MOST_PAGES)), fromTop: true };
}

const reaches = ({ events, toEnd }: Omit<Stretch, 'fromTop'>, at: Listed) => toEnd || events.some((each) => isNewer(at, each));

/** Page after page, until one goes past the event. */
async function down(at: Listed, params: ListEventsParams, ask: Ask, most: number): Promise<Omit<Stretch, 'fromTop'>> {
  const found = { events: [] as Listed[], toEnd: false };
  let cursor: string | undefined;
  for (let page = 0; page < most && !reaches(found, at); page += 1) {
    const { data, nextCursor } = await ask({ ...params, cursor });
    found.events.push(...data);
    found.toEnd = nextCursor === null;
    cursor = nextCursor ?? undefined;
  }
  return found;
}

/** Whether all that happened before the edge is also before the filter's own end, wherever it happened. */
function isBefore(edge: number, dateTo: ListEventsParams['dateTo']): boolean {
  if (dateTo === undefined) return true;
  const end = new Date(dateTo).getTime();
  return edge <= (typeof dateTo === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(dateTo) ? end + SURE_OF_DAY_MS : end);
}
