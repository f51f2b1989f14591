/** An event in a list: its picture, camera and time. */
import type { Event } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { client } from '../api/client';
import { useVisible } from '../cameras/picture';
import { Icon } from '../design/icons';
import type { EventSearch } from '../router';
import { t } from '../text';
import { shortTime } from '../text/when';
import './events.css';

/** Signed links are good for ten minutes. */
const GOOD_MS = 8 * 60_000;

export function useSnapshotUrl(event: Pick<Event, 'id' | 'snapshotUrl'>, wanted: boolean) {
  return useQuery({
    queryKey: ['picture', 'event', event.id, event.snapshotUrl !== null],
    queryFn: ({ signal }) => client.events.snapshotUrl(event.id, { signal, maxRetries: 1 }),
    enabled: wanted && event.snapshotUrl !== null,
    staleTime: GOOD_MS,
    gcTime: GOOD_MS,
  });
}

/** `search`: the filters of the list that it stands in, in which its page goes on to the next. */
export function EventThumb({
  event,
  search,
  bare = false,
  fromList = false,
}: {
  event: Event;
  search: EventSearch;
  bare?: boolean;
  fromList?: boolean;
}) {
  const [ref, visible] = useVisible<HTMLDivElement>();
  const url = useSnapshotUrl(event, visible).data;
  const when = shortTime(event.triggeredAt);
  return (
    <Link
      to="/events/$eventId"
      params={{ eventId: event.id }}
      search={search}
      state={fromList ? { fromList } : {}}
      className={`event-card${event.acknowledged ? ' seen' : ''}`}
    >
      <div className="picture" ref={ref}>
        {url === undefined ? (
          <div className="picture-none">
            <Icon name="events" size={24} />
          </div>
        ) : (
          <img src={url} alt={t.events.pictureOf(event.cameraName, when)} loading="lazy" />
        )}
        <span className="event-marks">
          {event.starred && (
            <span className="event-mark star" title={t.events.isStarred}>
              <Icon name="star" size={14} filled />
              <span className="only-heard">{t.events.isStarred}</span>
            </span>
          )}
          {event.acknowledged && (
            <span className="event-mark" title={t.events.acknowledged}>
              <Icon name="check" size={14} />
              <span className="only-heard">{t.events.acknowledged}</span>
            </span>
          )}
        </span>
      </div>
      <div className="event-foot">
        {!bare && <span className="event-camera cut">{event.cameraName}</span>}
        <span className="small quiet cut">
          <time dateTime={event.triggeredAt}>{when}</time>
          {!bare && ` · ${t.events.trigger[event.triggerType]}`}
        </span>
        {event.summary !== null && !bare && <span className="small faint cut">{event.summary}</span>}
      </div>
    </Link>
  );
}
