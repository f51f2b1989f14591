/** What pages read, under which keys; `feed.ts` finds them by these. */
import type { Camera, ListCamerasParams, ListEventsParams, PagePromise } from '@novavms/sdk';
import { infiniteQueryOptions, keepPreviousData, queryOptions, type InfiniteData } from '@tanstack/react-query';
import { client } from './client';

/** A page of a list, as plain data. */
export interface Slice<T> {
  data: T[];
  total: number;
  nextCursor: string | null;
}

export type Slices<T> = InfiniteData<Slice<T>, string | undefined>;

type Keep<T> = (item: T) => boolean;

/** Those whose deletion waits for the end of its Undo, or is done: no answer that was on its way brings them back. */
export const deletedCameras = new Set<string>();
const stays: Keep<Camera> = ({ id }) => !deletedCameras.has(id);

async function slice<T>(asked: PagePromise<T>, keep: Keep<T>): Promise<Slice<T>> {
  const { data, total, nextCursor } = await asked;
  const kept = data.filter(keep);
  return { data: kept, total: total - (data.length - kept.length), nextCursor };
}

/** All of a list that is short by nature (sites, gateways): at most ten pages of a hundred. */
async function all<T>(asked: PagePromise<T>, keep: Keep<T> = () => true): Promise<T[]> {
  const items: T[] = [];
  for await (const item of asked) {
    if (keep(item)) items.push(item);
    if (items.length >= 1_000) break;
  }
  return items;
}

function listed<T>(key: readonly unknown[], ask: (cursor: string | undefined, signal: AbortSignal) => PagePromise<T>, keep: Keep<T> = () => true) {
  return infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => slice(ask(pageParam, signal), keep),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Slice<T>) => last.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export const cameraList = (params: ListCamerasParams) =>
  listed(['cameras', 'list', params], (cursor, signal) => client.cameras.list({ limit: 48, ...params, cursor }, { signal }), stays);

export const camera = (id: string) =>
  queryOptions({ queryKey: ['cameras', 'one', id], queryFn: ({ signal }) => client.cameras.get(id, { signal }) });

export const eventList = (params: ListEventsParams) =>
  listed(['events', 'list', params], (cursor, signal) => client.events.list({ limit: 24, ...params, cursor }, { signal }));

export const event = (id: string) =>
  queryOptions({ queryKey: ['events', 'one', id], queryFn: ({ signal }) => client.events.get(id, { signal }) });

export const allSites = queryOptions({
  queryKey: ['sites', 'all'],
  queryFn: ({ signal }) => all(client.sites.list({ limit: 100 }, { signal })),
});

export const allGrids = queryOptions({
  queryKey: ['grids', 'all'],
  queryFn: async ({ signal }) => (await all(client.grids.list({ limit: 100 }, { signal }))).toSorted((one, other) => one.name.localeCompare(other.name)),
});

export const allGateways = queryOptions({
  queryKey: ['gateways', 'all'],
  queryFn: ({ signal }) => all(client.gateways.list({ limit: 100 }, { signal })),
});

export const allCameras = queryOptions({
  queryKey: ['cameras', 'all'],
  queryFn: ({ signal }) => all(client.cameras.list({ limit: 100, sort: 'name' }, { signal }), stays),
});

export const gateway = (id: string) =>
  queryOptions({ queryKey: ['gateways', 'one', id], queryFn: ({ signal }) => client.gateways.get(id, { signal }) });

export const telemetry = (id: string) =>
  queryOptions({
    queryKey: ['gateways', 'telemetry', id],
    queryFn: async ({ signal }) => (await client.gateways.telemetry(id, { limit: 100 }, { signal })).data.toReversed(),
    refetchInterval: 30_000,
  });

export const allUsers = queryOptions({
  queryKey: ['users', 'all'],
  queryFn: ({ signal }) => all(client.users.list({ limit: 100 }, { signal })),
});

export const allServiceAccounts = queryOptions({
  queryKey: ['service-accounts', 'all'],
  queryFn: ({ signal }) => all(client.serviceAccounts.list({ limit: 100 }, { signal })),
});

export const keysOf = (id: string) =>
  queryOptions({
    queryKey: ['service-accounts', 'keys', id],
    queryFn: ({ signal }) => all(client.serviceAccounts.keys.list(id, { limit: 100 }, { signal })),
  });

export const sharesOf = (id: string) =>
  queryOptions({
    queryKey: ['events', 'shares', id],
    queryFn: ({ signal }) => all(client.events.shares.list(id, { limit: 100 }, { signal })),
  });

export const exportList = listed(['exports', 'list'], (cursor, signal) => client.exports.list({ limit: 10, cursor }, { signal }));
