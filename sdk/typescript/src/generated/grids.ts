/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { Grid, GridCreate, GridUpdate, ListGridsParams } from './types.js';

const listGrids: Operation = {
  id: 'listGrids',
  method: 'GET',
  path: '/grids',
  query: ['cursor', 'limit'],
  reply: 'json',
};

const createGrid: Operation = {
  id: 'createGrid',
  method: 'POST',
  path: '/grids',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const getGrid: Operation = {
  id: 'getGrid',
  method: 'GET',
  path: '/grids/{}',
  reply: 'json',
};

const updateGrid: Operation = {
  id: 'updateGrid',
  method: 'PATCH',
  path: '/grids/{}',
  hasBody: true,
  reply: 'json',
};

const deleteGrid: Operation = {
  id: 'deleteGrid',
  method: 'DELETE',
  path: '/grids/{}',
  reply: 'none',
};

/** Which cameras stand where on a wall of live pictures, kept by name. */
export class GridsResource extends Resource {
  /**
   * List grids.
   *
   * Your own and those that others share, newest first.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.grids.list()) console.log(item);
   * ```
   */
  list(params?: ListGridsParams, options?: RequestOptions): PagePromise<Grid> {
    return this.pages(listGrids, [], params, options);
  }

  /**
   * Create a grid.
   *
   * It is yours: of the user or the service account that asks, and goes with them. 100 each at most.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.grids.create({
   *   name: 'At night',
   *   columns: 2,
   *   cameras: ['0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d', null, null, null],
   *   isShared: false,
   * });
   * ```
   */
  create(params: GridCreate, options?: RequestOptions): ApiPromise<Grid> {
    return this.call(createGrid, [], params, options);
  }

  /**
   * Get a grid.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.grids.get(id);
   * ```
   */
  get(id: string, options?: RequestOptions): ApiPromise<Grid> {
    return this.call(getGrid, [id], undefined, options);
  }

  /**
   * Change a grid.
   *
   * Your own; admins, also one that somebody shares. `cameras` is the whole list.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.grids.update(id, { isShared: true });
   * ```
   */
  update(id: string, params: GridUpdate, options?: RequestOptions): ApiPromise<Grid> {
    return this.call(updateGrid, [id], params, options);
  }

  /**
   * Delete a grid.
   *
   * Your own; admins, also one that somebody shares.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * await novavms.grids.delete(id);
   * ```
   */
  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(deleteGrid, [id], undefined, options);
  }
}
