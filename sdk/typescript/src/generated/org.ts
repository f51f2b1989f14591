/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { Transport } from '../transport.js';
import type { Nomination, NominationCreate, Org, OrgUpdate, SigningKey } from './types.js';

const getOwnerNomination: Operation = {
  id: 'getOwnerNomination',
  method: 'GET',
  path: '/orgs/current/owner-nomination',
  reply: 'json',
};

const nominateOwner: Operation = {
  id: 'nominateOwner',
  method: 'POST',
  path: '/orgs/current/owner-nomination',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const withdrawOwnerNomination: Operation = {
  id: 'withdrawOwnerNomination',
  method: 'DELETE',
  path: '/orgs/current/owner-nomination',
  reply: 'none',
};

const acceptOwnerNomination: Operation = {
  id: 'acceptOwnerNomination',
  method: 'POST',
  path: '/orgs/current/owner-nomination/accept',
  keyed: true,
  reply: 'json',
};

const getSigningKey: Operation = {
  id: 'getSigningKey',
  method: 'GET',
  path: '/orgs/current/signing-key',
  reply: 'json',
};

const getOrg: Operation = {
  id: 'getOrg',
  method: 'GET',
  path: '/orgs/current',
  reply: 'json',
};

const updateOrg: Operation = {
  id: 'updateOrg',
  method: 'PATCH',
  path: '/orgs/current',
  hasBody: true,
  reply: 'json',
};

/** Handing the organization over to another owner. */
export class OrgOwnerNominationResource extends Resource {
  /**
   * Get the open nomination.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.org.ownerNomination.get();
   * ```
   */
  get(options?: RequestOptions): ApiPromise<Nomination> {
    return this.call(getOwnerNomination, [], undefined, options);
  }

  /**
   * Nominate a new owner.
   *
   * Needs the role owner.
   *
   * @example
   * ```ts
   * const answer = await novavms.org.ownerNomination.nominate({ userId: '0198f2a4-7d11-7a52-8c1f-5e6d7c8b9a00' });
   * ```
   */
  nominate(params: NominationCreate, options?: RequestOptions): ApiPromise<Nomination> {
    return this.call(nominateOwner, [], params, options);
  }

  /**
   * Withdraw or decline the nomination.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * await novavms.org.ownerNomination.withdraw();
   * ```
   */
  withdraw(options?: RequestOptions): ApiPromise<void> {
    return this.call(withdrawOwnerNomination, [], undefined, options);
  }

  /**
   * Accept the nomination.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.org.ownerNomination.accept();
   * ```
   */
  accept(options?: RequestOptions): ApiPromise<Org> {
    return this.call(acceptOwnerNomination, [], undefined, options);
  }
}

/** Footage as evidence: signed, and verified offline by `novavms-verify`. */
export class OrgResource extends Resource {
  /** Handing the organization over to another owner. */
  readonly ownerNomination: OrgOwnerNominationResource;

  /** Made by the client. */
  constructor(transport: Transport) {
    super(transport);
    this.ownerNomination = new OrgOwnerNominationResource(transport);
  }

  /**
   * The key that exports are signed with.
   *
   * Its public half. Tell its fingerprint to whoever is to verify your exports.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.org.signingKey();
   * ```
   */
  signingKey(options?: RequestOptions): ApiPromise<SigningKey> {
    return this.call(getSigningKey, [], undefined, options);
  }

  /**
   * Get the organization.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.org.get();
   * ```
   */
  get(options?: RequestOptions): ApiPromise<Org> {
    return this.call(getOrg, [], undefined, options);
  }

  /**
   * Change the organization.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.org.update({ name: 'Acme Harbours' });
   * ```
   */
  update(params: OrgUpdate, options?: RequestOptions): ApiPromise<Org> {
    return this.call(updateOrg, [], params, options);
  }
}
