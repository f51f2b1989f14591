/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { Export, ExportCreate, ListExportsParams } from './types.js';

const listExports: Operation = {
  id: 'listExports',
  method: 'GET',
  path: '/exports',
  query: ['cursor', 'limit'],
  reply: 'json',
};

const createExport: Operation = {
  id: 'createExport',
  method: 'POST',
  path: '/exports',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const getExport: Operation = {
  id: 'getExport',
  method: 'GET',
  path: '/exports/{}',
  reply: 'json',
};

const deleteExport: Operation = {
  id: 'deleteExport',
  method: 'DELETE',
  path: '/exports/{}',
  reply: 'none',
};

const downloadExport: Operation = {
  id: 'downloadExport',
  method: 'GET',
  path: '/exports/{}/download',
  reply: 'link',
};

/** Footage as evidence: signed, and verified offline by `novavms-verify`. */
export class ExportsOperations extends Resource {
  /**
   * List exports.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.exports.list()) console.log(item);
   * ```
   */
  list(params?: ListExportsParams, options?: RequestOptions): PagePromise<Export> {
    return this.pages(listExports, [], params, options);
  }

  /**
   * Export footage as evidence.
   *
   * At most an hour, of one camera (an MP4) or up to 16 (a ZIP), signed with the organization's key. It is made in the background; one whose gateway is offline waits for it, for a week.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.exports.create({
   *   cameraId: '0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d',
   *   from: '2026-03-01T12:00:00Z',
   *   to: '2026-03-01T12:15:00Z',
   *   caseReference: '4711/26',
   * });
   * ```
   */
  create(params: ExportCreate, options?: RequestOptions): ApiPromise<Export> {
    return this.call(createExport, [], params, options);
  }

  /**
   * Get an export.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.exports.get(id);
   * ```
   */
  get(id: string, options?: RequestOptions): ApiPromise<Export> {
    return this.call(getExport, [id], undefined, options);
  }

  /**
   * Delete an export.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * await novavms.exports.delete(id);
   * ```
   */
  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(deleteExport, [id], undefined, options);
  }

  /**
   * Download an export.
   *
   * Redirects to the file, by a link that is good for ten minutes. 409 while it is being made. `novavms-verify` checks it offline.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const url = await novavms.exports.downloadUrl(id);
   * ```
   */
  downloadUrl(id: string, options?: RequestOptions): ApiPromise<string> {
    return this.call(downloadExport, [id], undefined, options);
  }
}
