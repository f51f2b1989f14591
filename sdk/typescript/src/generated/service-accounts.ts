/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { Transport } from '../transport.js';
import type { ApiKey, ApiKeyCreate, ApiKeyCreated, ListApiKeysParams, ListServiceAccountsParams, ServiceAccount, ServiceAccountCreate, ServiceAccountUpdate } from './types.js';

const listApiKeys: Operation = {
  id: 'listApiKeys',
  method: 'GET',
  path: '/service-accounts/{}/keys',
  query: ['cursor', 'limit'],
  reply: 'json',
};

const createApiKey: Operation = {
  id: 'createApiKey',
  method: 'POST',
  path: '/service-accounts/{}/keys',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const revokeApiKey: Operation = {
  id: 'revokeApiKey',
  method: 'DELETE',
  path: '/service-accounts/{}/keys/{}',
  reply: 'none',
};

const listServiceAccounts: Operation = {
  id: 'listServiceAccounts',
  method: 'GET',
  path: '/service-accounts',
  query: ['cursor', 'limit'],
  reply: 'json',
};

const createServiceAccount: Operation = {
  id: 'createServiceAccount',
  method: 'POST',
  path: '/service-accounts',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const getServiceAccount: Operation = {
  id: 'getServiceAccount',
  method: 'GET',
  path: '/service-accounts/{}',
  reply: 'json',
};

const updateServiceAccount: Operation = {
  id: 'updateServiceAccount',
  method: 'PATCH',
  path: '/service-accounts/{}',
  hasBody: true,
  reply: 'json',
};

const deleteServiceAccount: Operation = {
  id: 'deleteServiceAccount',
  method: 'DELETE',
  path: '/service-accounts/{}',
  reply: 'none',
};

/** A service account's API keys. */
export class ServiceAccountsKeysResource extends Resource {
  /**
   * List keys.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.serviceAccounts.keys.list(id)) console.log(item);
   * ```
   */
  list(id: string, params?: ListApiKeysParams, options?: RequestOptions): PagePromise<ApiKey> {
    return this.pages(listApiKeys, [id], params, options);
  }

  /**
   * Make a key.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.serviceAccounts.keys.create(id, { name: 'first' });
   * ```
   */
  create(id: string, params?: ApiKeyCreate, options?: RequestOptions): ApiPromise<ApiKeyCreated> {
    return this.call(createApiKey, [id], params, options);
  }

  /**
   * Revoke a key.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * await novavms.serviceAccounts.keys.revoke(accountId, keyId);
   * ```
   */
  revoke(accountId: string, keyId: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(revokeApiKey, [accountId, keyId], undefined, options);
  }
}

/** Programs that call the API, and their keys. */
export class ServiceAccountsResource extends Resource {
  /** A service account's API keys. */
  readonly keys: ServiceAccountsKeysResource;

  /** Made by the client. */
  constructor(transport: Transport) {
    super(transport);
    this.keys = new ServiceAccountsKeysResource(transport);
  }

  /**
   * List service accounts.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.serviceAccounts.list()) console.log(item);
   * ```
   */
  list(params?: ListServiceAccountsParams, options?: RequestOptions): PagePromise<ServiceAccount> {
    return this.pages(listServiceAccounts, [], params, options);
  }

  /**
   * Create a service account.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.serviceAccounts.create({ name: 'Alarm centre', role: 'operator' });
   * ```
   */
  create(params: ServiceAccountCreate, options?: RequestOptions): ApiPromise<ServiceAccount> {
    return this.call(createServiceAccount, [], params, options);
  }

  /**
   * Get a service account.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.serviceAccounts.get(id);
   * ```
   */
  get(id: string, options?: RequestOptions): ApiPromise<ServiceAccount> {
    return this.call(getServiceAccount, [id], undefined, options);
  }

  /**
   * Change a service account.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.serviceAccounts.update(id, { enabled: false });
   * ```
   */
  update(id: string, params: ServiceAccountUpdate, options?: RequestOptions): ApiPromise<ServiceAccount> {
    return this.call(updateServiceAccount, [id], params, options);
  }

  /**
   * Delete a service account.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * await novavms.serviceAccounts.delete(id);
   * ```
   */
  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(deleteServiceAccount, [id], undefined, options);
  }
}
