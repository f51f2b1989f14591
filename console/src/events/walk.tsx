/** From one event to the next of the list that it was reached from, and back to that list. */
import type { EventDetail } from '@novavms/sdk';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useLocation, useNavigate, useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { client } from '../api/client';
import { eventList } from '../api/queries';
import { IconButton } from '../design/controls';
import { Icon } from '../design/icons';
import type { EventSearch } from '../router';
import { t } from '../text';
import { neighbours, stretchAround, type Neighbours, type Stretch } from './around';
import { isFiltered, listParams, stillIn } from './filters';

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** The step before this one in the window's history is the list. */
    fromList?: boolean;
  }
}

const PAGE = 24;
const NONE: Neighbours = { newer: undefined, older: undefined };

/** Its neighbours in the list with these filters; without filters, as the API says them with the event. */
export function useNeighbours(event: EventDetail | undefined, search: EventSearch): Neighbours {
  const params = listParams(search);
  const filtered = isFiltered(search);
  // kept while events are looked at, so that the way back leads to the same place
  const list = useInfiniteQuery({ ...eventList(params), enabled: false });
  const around = useQuery({
    queryKey: ['events', 'around', event?.id, params],
    queryFn: ({ signal }) => stretchAround(event as EventDetail, params, (page) => client.events.list({ limit: PAGE, ...page }, { signal })),
    enabled: filtered && event !== undefined,
    gcTime: 0, // what was asked for before a star or a mark is no more true
    placeholderData: list.data && {
      events: list.data.pages.flatMap(({ data }) => data).filter((each) => stillIn(each, search)),
      fromTop: true,
      toEnd: list.data.pages.at(-1)?.nextCursor === null,
    } satisfies Stretch,
  });
  if (event === undefined) return NONE;
  if (!filtered) return { newer: event.prevId, older: event.nextId };
  return around.data === undefined ? NONE : neighbours(around.data, event);
}

/** The step to a neighbour takes this event's place in the history: one step back is the list, however many were looked at. Who steps
 * before the neighbours are known goes on as soon as they are. */
export function useSteps(near: Neighbours, search: EventSearch): Record<keyof Neighbours, () => void> {
  const navigate = useNavigate();
  const fromList = useLocation({ select: ({ state }) => state.fromList });
  const [wish, setWish] = useState<keyof Neighbours | null>(null);
  const found = wish === null ? undefined : near[wish];
  useEffect(() => {
    if (found === undefined) return;
    setWish(null);
    if (found === null) return;
    void navigate({ to: '/events/$eventId', params: { eventId: found }, search, replace: true, state: fromList === true ? { fromList } : {} });
  }, [found, navigate, search, fromList]);
  return { newer: () => setWish('newer'), older: () => setWish('older') };
}

export function Steps({ near, step }: { near: Neighbours; step: ReturnType<typeof useSteps> }) {
  const ends = t.events.ends;
  const end = near.newer === null ? (near.older === null ? ends.only : ends.newest) : near.older === null ? ends.oldest : '';
  return (
    <span className="row">
      <span className="small faint" role="status">
        {end}
      </span>
      <IconButton icon="left" label={t.events.previous} onPress={step.newer} isDisabled={near.newer === null} />
      <IconButton icon="right" label={t.events.next} onPress={step.older} isDisabled={near.older === null} />
    </span>
  );
}

/** Back in the history where the list is there, with what was loaded of it and how far it was scrolled; else to the list anew. */
export function BackToList({ search }: { search: EventSearch }) {
  const router = useRouter();
  const fromList = useLocation({ select: ({ state }) => state.fromList });
  return (
    <Link
      to="/events"
      search={search}
      className="event-back small"
      onClick={(click) => {
        if (fromList !== true || click.ctrlKey || click.metaKey || click.shiftKey) return;
        click.preventDefault();
        router.history.back();
      }}
    >
      <Icon name="left" size={14} />
      {isFiltered(search) ? t.events.backFiltered : t.events.backAll}
    </Link>
  );
}
