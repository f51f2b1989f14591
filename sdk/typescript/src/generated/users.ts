/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { Transport } from '../transport.js';
import type { ListUsersParams, PasswordReset, Session, User, UserCreate, UserCreated, UserUpdate } from './types.js';

const listUserSessions: Operation = {
  id: 'listUserSessions',
  method: 'GET',
  path: '/users/{}/sessions',
  reply: 'json',
};

const endUserSessions: Operation = {
  id: 'endUserSessions',
  method: 'DELETE',
  path: '/users/{}/sessions',
  reply: 'none',
};

const getUserSession: Operation = {
  id: 'getUserSession',
  method: 'GET',
  path: '/users/{}/sessions/{}',
  reply: 'json',
};

const endUserSession: Operation = {
  id: 'endUserSession',
  method: 'DELETE',
  path: '/users/{}/sessions/{}',
  reply: 'none',
};

const listUsers: Operation = {
  id: 'listUsers',
  method: 'GET',
  path: '/users',
  query: ['cursor', 'enabled', 'limit', 'role'],
  reply: 'json',
};

const createUser: Operation = {
  id: 'createUser',
  method: 'POST',
  path: '/users',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const getUser: Operation = {
  id: 'getUser',
  method: 'GET',
  path: '/users/{}',
  reply: 'json',
};

const updateUser: Operation = {
  id: 'updateUser',
  method: 'PATCH',
  path: '/users/{}',
  hasBody: true,
  reply: 'json',
};

const deleteUser: Operation = {
  id: 'deleteUser',
  method: 'DELETE',
  path: '/users/{}',
  reply: 'none',
};

const issuePasswordReset: Operation = {
  id: 'issuePasswordReset',
  method: 'POST',
  path: '/users/{}/reset-password',
  keyed: true,
  reply: 'json',
};

/** Where a user is logged in. */
export class UsersSessionsResource extends Resource {
  /**
   * List a user's sessions.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.users.sessions.list(id)) console.log(item);
   * ```
   */
  list(id: string, options?: RequestOptions): PagePromise<Session> {
    return this.pages(listUserSessions, [id], undefined, options);
  }

  /**
   * End all sessions of a user.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * await novavms.users.sessions.endAll(id);
   * ```
   */
  endAll(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(endUserSessions, [id], undefined, options);
  }

  /**
   * Get a session.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.users.sessions.get(userId, sessionId);
   * ```
   */
  get(userId: string, sessionId: string, options?: RequestOptions): ApiPromise<Session> {
    return this.call(getUserSession, [userId, sessionId], undefined, options);
  }

  /**
   * End a session.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * await novavms.users.sessions.end(userId, sessionId);
   * ```
   */
  end(userId: string, sessionId: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(endUserSession, [userId, sessionId], undefined, options);
  }
}

/** The people of the organization, and where they are logged in. */
export class UsersResource extends Resource {
  /** Where a user is logged in. */
  readonly sessions: UsersSessionsResource;

  /** Made by the client. */
  constructor(transport: Transport) {
    super(transport);
    this.sessions = new UsersSessionsResource(transport);
  }

  /**
   * List users.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.users.list()) console.log(item);
   * ```
   */
  list(params?: ListUsersParams, options?: RequestOptions): PagePromise<User> {
    return this.pages(listUsers, [], params, options);
  }

  /**
   * Create a user.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.users.create({
   *   email: 'vera@example.com',
   *   displayName: 'Vera Rubin',
   *   role: 'viewer',
   *   siteIds: ['0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e'],
   * });
   * ```
   */
  create(params: UserCreate, options?: RequestOptions): ApiPromise<UserCreated> {
    return this.call(createUser, [], params, options);
  }

  /**
   * Get a user.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.users.get(id);
   * ```
   */
  get(id: string, options?: RequestOptions): ApiPromise<User> {
    return this.call(getUser, [id], undefined, options);
  }

  /**
   * Change a user.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.users.update(id, { role: 'operator' });
   * ```
   */
  update(id: string, params: UserUpdate, options?: RequestOptions): ApiPromise<User> {
    return this.call(updateUser, [id], params, options);
  }

  /**
   * Delete a user.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * await novavms.users.delete(id);
   * ```
   */
  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(deleteUser, [id], undefined, options);
  }

  /**
   * Get a token for a user to set a new password.
   *
   * Needs the role admin or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.users.resetPassword(id);
   * ```
   */
  resetPassword(id: string, options?: RequestOptions): ApiPromise<PasswordReset> {
    return this.call(issuePasswordReset, [id], undefined, options);
  }
}
