/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { ListSitesParams, Site, SiteCreate, SiteUpdate } from './types.js';

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

/** Places, each with a time zone. Viewers see the sites they were granted. */
export class SitesResource extends Resource {
  /**
   * List sites.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * for await (const site of novavms.sites.list()) console.log(site);
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
