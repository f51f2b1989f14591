/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { Transport } from '../transport.js';
import type { Event, EventDetail, EventUpdate, ListEventSharesParams, ListEventsParams, Share, ShareCreate, ShareCreated } from './types.js';

const listEventShares: Operation = {
  id: 'listEventShares',
  method: 'GET',
  path: '/events/{}/shares',
  query: ['cursor', 'limit'],
  reply: 'json',
};

const revokeEventShare: Operation = {
  id: 'revokeEventShare',
  method: 'DELETE',
  path: '/events/{}/shares/{}',
  reply: 'none',
};

const listEvents: Operation = {
  id: 'listEvents',
  method: 'GET',
  path: '/events',
  query: ['acknowledged', 'ai_status', 'camera_id', 'cursor', 'date_from', 'date_to', 'limit', 'q', 'site_id', 'starred', 'tag', 'trigger_type'],
  reply: 'json',
};

const getEvent: Operation = {
  id: 'getEvent',
  method: 'GET',
  path: '/events/{}',
  reply: 'json',
};

const updateEvent: Operation = {
  id: 'updateEvent',
  method: 'PATCH',
  path: '/events/{}',
  hasBody: true,
  reply: 'json',
};

const deleteEvent: Operation = {
  id: 'deleteEvent',
  method: 'DELETE',
  path: '/events/{}',
  reply: 'none',
};

const getEventClip: Operation = {
  id: 'getEventClip',
  method: 'GET',
  path: '/events/{}/clip',
  reply: 'link',
};

const shareEvent: Operation = {
  id: 'shareEvent',
  method: 'POST',
  path: '/events/{}/share',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const getEventSnapshot: Operation = {
  id: 'getEventSnapshot',
  method: 'GET',
  path: '/events/{}/snapshot',
  reply: 'link',
};

/** Links by which others see an event. */
export class EventsSharesResource extends Resource {
  /**
   * List an event's shared links.
   *
   * Newest first, also those that ran out or were revoked.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.events.shares.list(id)) console.log(item);
   * ```
   */
  list(id: string, params?: ListEventSharesParams, options?: RequestOptions): PagePromise<Share> {
    return this.pages(listEventShares, [id], params, options);
  }

  /**
   * Revoke a shared link.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * await novavms.events.shares.revoke(eventId, shareId);
   * ```
   */
  revoke(eventId: string, shareId: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(revokeEventShare, [eventId, shareId], undefined, options);
  }
}

/** Something noticed or asked for, with at most one clip. */
export class EventsOperations extends Resource {
  /** Links by which others see an event. */
  readonly shares: EventsSharesResource;

  /** Made by the client. */
  constructor(transport: Transport) {
    super(transport);
    this.shares = new EventsSharesResource(transport);
  }

  /**
   * List events.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.events.list()) console.log(item);
   * ```
   */
  list(params?: ListEventsParams, options?: RequestOptions): PagePromise<Event> {
    return this.pages(listEvents, [], params, options);
  }

  /**
   * Get an event.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.events.get(id);
   * ```
   */
  get(id: string, options?: RequestOptions): ApiPromise<EventDetail> {
    return this.call(getEvent, [id], undefined, options);
  }

  /**
   * Change an event.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.events.update(id, { starred: true });
   * ```
   */
  update(id: string, params: EventUpdate, options?: RequestOptions): ApiPromise<EventDetail> {
    return this.call(updateEvent, [id], params, options);
  }

  /**
   * Delete an event.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * await novavms.events.delete(id);
   * ```
   */
  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(deleteEvent, [id], undefined, options);
  }

  /**
   * Play an event's clip.
   *
   * Redirects to the MP4, by a link that is good for ten minutes and takes byte ranges. 409 while the clip is being made.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const url = await novavms.events.clipUrl(id);
   * ```
   */
  clipUrl(id: string, options?: RequestOptions): ApiPromise<string> {
    return this.call(getEventClip, [id], undefined, options);
  }

  /**
   * Share an event by a link.
   *
   * Whoever has the link sees the event's picture and clip until it runs out or is revoked. It is shown this once.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.events.share(id, { expiresIn: '24h' });
   * ```
   */
  share(id: string, params?: ShareCreate, options?: RequestOptions): ApiPromise<ShareCreated> {
    return this.call(shareEvent, [id], params, options);
  }

  /**
   * An event's picture.
   *
   * Redirects to a JPEG, by a link that is good for ten minutes.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const url = await novavms.events.snapshotUrl(id);
   * ```
   */
  snapshotUrl(id: string, options?: RequestOptions): ApiPromise<string> {
    return this.call(getEventSnapshot, [id], undefined, options);
  }
}
