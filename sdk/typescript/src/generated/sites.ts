/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { GetSiteRecordingsParams, ListSitesParams, Site, SiteCreate, SiteRecordings, SiteUpdate } from './types.js';

const getSiteRecordings: Operation = {
  id: 'getSiteRecordings',
  method: 'GET',
  path: '/sites/{}/recordings',
  query: ['cursor', 'from', 'limit', 'to'],
  reply: 'json',
};

const listSites: Operation = {
  id: 'listSites',
  method: 'GET',
  path: '/sites',
  query: ['cursor', 'limit'],
  reply: 'json',
};

const createSite: Operation = {
  id: 'createSite',
  method: 'POST',
  path: '/sites',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const getSite: Operation = {
  id: 'getSite',
  method: 'GET',
  path: '/sites/{}',
  reply: 'json',
};

const updateSite: Operation = {
  id: 'updateSite',
  method: 'PATCH',
  path: '/sites/{}',
  hasBody: true,
  reply: 'json',
};

const deleteSite: Operation = {
  id: 'deleteSite',
  method: 'DELETE',
  path: '/sites/{}',
  reply: 'none',
};

/** What footage there is, and why where there is none. */
export class SitesResource extends Resource {
  /**
   * How the cameras of a site were recorded.
   *
   * For each camera: how much of the range is there, the longest gap with its reason, and its bytes. At most 31 days.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.sites.recordings(id);
   * ```
   */
  recordings(id: string, params?: GetSiteRecordingsParams, options?: RequestOptions): ApiPromise<SiteRecordings> {
    return this.call(getSiteRecordings, [id], params, options);
  }

  /**
   * List sites.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.sites.list()) console.log(item);
   * ```
   */
  list(params?: ListSitesParams, options?: RequestOptions): PagePromise<Site> {
    return this.pages(listSites, [], params, options);
  }

  /**
   * Create a site.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.sites.create({ name: 'Harbour', timezone: 'Europe/Berlin', address: 'Quay 3' });
   * ```
   */
  create(params: SiteCreate, options?: RequestOptions): ApiPromise<Site> {
    return this.call(createSite, [], params, options);
  }

  /**
   * Get a site.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.sites.get(id);
   * ```
   */
  get(id: string, options?: RequestOptions): ApiPromise<Site> {
    return this.call(getSite, [id], undefined, options);
  }

  /**
   * Change a site.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.sites.update(id, { name: 'Old harbour' });
   * ```
   */
  update(id: string, params: SiteUpdate, options?: RequestOptions): ApiPromise<Site> {
    return this.call(updateSite, [id], params, options);
  }

  /**
   * Delete a site.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * await novavms.sites.delete(id);
   * ```
   */
  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(deleteSite, [id], undefined, options);
  }
}
