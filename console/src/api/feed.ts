/** `GET /stream` into what pages have read: nothing on the page needs loading anew to be true. */
import { AuthenticationError, type Camera, type CameraDetail, type Event, type EventDetail, type StreamItem } from '@novavms/sdk';
import type { QueryClient } from '@tanstack/react-query';
import { client } from './client';
import type { Slices } from './queries';

const AGAIN_MS = 3_000;
const GATHER_MS = 400;

/** Listens until the signal ends. `onRefused`: the login is over. */
export async function follow(queries: QueryClient, signal: AbortSignal, onRefused: () => void): Promise<void> {
  const later = gather((key) => void queries.invalidateQueries({ queryKey: key }));
  const onConnect = () => void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'picture' });
  while (!signal.aborted) {
    try {
      for await (const item of client.stream.events({}, { signal, onConnect })) apply(item, queries, later);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof AuthenticationError) {
        onRefused();
        return;
      }
    }
    // what the client does not try again by itself, or gave up at the start: the server may come back
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** Many changes at once (forty cameras of one gateway) are one reading. */
function gather(act: (key: readonly string[]) => void): (...key: string[]) => void {
  const waiting = new Map<string, readonly string[]>();
  return (...key) => {
    if (waiting.size === 0) {
      setTimeout(() => {
        const keys = [...waiting.values()];
        waiting.clear();
        keys.forEach(act);
      }, GATHER_MS);
    }
    waiting.set(key.join('/'), key);
  };
}

export function apply(item: StreamItem, queries: QueryClient, later: (...key: string[]) => void): void {
  switch (item.type) {
    case 'camera_status': {
      const { cameraId, reason, message, since, siteId: _site, gatewayId: _gateway, ...told } = item.data;
      const change = { ...told, statusReason: reason, statusMessage: message, statusAt: since };
      changeCamera(queries, cameraId, change);
      if (filtersByStatus(queries)) later('cameras', 'list');
      return;
    }
    case 'camera':
      if (item.data.change === 'updated' && item.data.camera !== null) {
        changeCamera(queries, item.data.cameraId, item.data.camera);
        later('cameras', 'one', item.data.cameraId);
      } else {
        later('cameras');
      }
      return;
    case 'gateway':
    case 'gateway_status':
      later('gateways');
      return;
    case 'event':
      if (item.data.change === 'updated' && item.data.event !== null) changeEvent(queries, item.data.eventId, item.data.event);
      later('events');
      return;
    case 'clip': {
      const { clip, eventId } = item.data;
      queries.setQueryData<EventDetail>(['events', 'one', eventId], (known) => known && { ...known, clip });
      return;
    }
    case 'reset':
      void queries.invalidateQueries();
      return;
    default: // of a newer server
  }
}

function changeCamera(queries: QueryClient, id: string, change: Partial<Camera>): void {
  const changed = (known: Camera) => (known.id === id ? { ...known, ...change } : known);
  queries.setQueryData<CameraDetail>(['cameras', 'one', id], (known) => known && { ...known, ...change });
  queries.setQueryData<Camera[]>(['cameras', 'all'], (known) => known?.map(changed));
  queries.setQueriesData<Slices<Camera>>({ queryKey: ['cameras', 'list'] }, (known) => mapped(known, changed));
}

export function changeEvent(queries: QueryClient, id: string, change: Partial<Event>): void {
  queries.setQueryData<EventDetail>(['events', 'one', id], (known) => known && { ...known, ...change });
  queries.setQueriesData<Slices<Event>>({ queryKey: ['events', 'list'] }, (known) =>
    mapped(known, (each) => (each.id === id ? { ...each, ...change } : each)),
  );
}

function mapped<T>(known: Slices<T> | undefined, change: (item: T) => T): Slices<T> | undefined {
  return known && { ...known, pages: known.pages.map((page) => ({ ...page, data: page.data.map(change) })) };
}

function filtersByStatus(queries: QueryClient): boolean {
  return queries
    .getQueryCache()
    .findAll({ queryKey: ['cameras', 'list'] })
    .some(({ queryKey }) => (queryKey[2] as { status?: string } | undefined)?.status !== undefined);
}
