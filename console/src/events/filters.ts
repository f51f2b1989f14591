/** The list's filters, as they are in the address of the list and of an event that was reached from it. */
import type { Event, ListEventsParams } from '@novavms/sdk';
import type { EventSearch } from '../router';

export const listParams = (search: EventSearch): ListEventsParams => ({
  q: search.q,
  siteId: search.site,
  cameraId: search.camera,
  triggerType: search.trigger,
  starred: search.starred,
  acknowledged: search.open === true ? false : undefined,
  dateFrom: search.from,
  dateTo: search.to,
});

export const isFiltered = (search: EventSearch): boolean => Object.values(search).some((value) => value !== undefined);

/** Of an event that was listed: whether what people change with a key has taken it out of the list. */
export const stillIn = (event: Event, search: EventSearch): boolean =>
  (search.starred !== true || event.starred) && (search.open !== true || !event.acknowledged);
