/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { Accepted, ChangePasswordRequest, ForgotPasswordRequest, LoginAnswer, LoginRequest, Me, RefreshRequest, ResetPasswordRequest } from './types.js';

const changePassword: Operation = {
  id: 'changePassword',
  method: 'POST',
  path: '/auth/change-password',
  hasBody: true,
  keyed: true,
  reply: 'none',
};

const forgotPassword: Operation = {
  id: 'forgotPassword',
  method: 'POST',
  path: '/auth/forgot-password',
  hasBody: true,
  open: true,
  reply: 'json',
};

const login: Operation = {
  id: 'login',
  method: 'POST',
  path: '/auth/login',
  hasBody: true,
  open: true,
  reply: 'json',
};

const logout: Operation = {
  id: 'logout',
  method: 'POST',
  path: '/auth/logout',
  keyed: true,
  reply: 'none',
};

const getMe: Operation = {
  id: 'getMe',
  method: 'GET',
  path: '/auth/me',
  reply: 'json',
};

const refreshSession: Operation = {
  id: 'refreshSession',
  method: 'POST',
  path: '/auth/refresh',
  hasBody: true,
  open: true,
  reply: 'json',
};

const resetPassword: Operation = {
  id: 'resetPassword',
  method: 'POST',
  path: '/auth/reset-password',
  hasBody: true,
  open: true,
  reply: 'none',
};

/** Log in, refresh, log out, passwords. */
export class AuthOperations extends Resource {
  /**
   * Change one's password.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * await novavms.auth.changePassword({ currentPassword: 'Correct-Horse-1', newPassword: 'Better-Horse-2' });
   * ```
   */
  changePassword(params: ChangePasswordRequest, options?: RequestOptions): ApiPromise<void> {
    return this.call(changePassword, [], params, options);
  }

  /**
   * Ask for a new password.
   *
   * @example
   * ```ts
   * const answer = await novavms.auth.forgotPassword({ email: 'ada@example.com' });
   * ```
   */
  forgotPassword(params: ForgotPasswordRequest, options?: RequestOptions): ApiPromise<Accepted> {
    return this.call(forgotPassword, [], params, options);
  }

  /**
   * Log in.
   *
   * @example
   * ```ts
   * const answer = await novavms.auth.login({ email: 'ada@example.com', password: 'Correct-Horse-1', clientType: 'api' });
   * ```
   */
  login(params: LoginRequest, options?: RequestOptions): ApiPromise<LoginAnswer> {
    return this.call(login, [], params, options);
  }

  /**
   * Log out.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * await novavms.auth.logout();
   * ```
   */
  logout(options?: RequestOptions): ApiPromise<void> {
    return this.call(logout, [], undefined, options);
  }

  /**
   * Who am I.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.auth.me();
   * ```
   */
  me(options?: RequestOptions): ApiPromise<Me> {
    return this.call(getMe, [], undefined, options);
  }

  /**
   * Get new tokens.
   *
   * @example
   * ```ts
   * const answer = await novavms.auth.refresh({ refreshToken: 'rt_made-up-for-this-page' });
   * ```
   */
  refresh(params?: RefreshRequest, options?: RequestOptions): ApiPromise<LoginAnswer> {
    return this.call(refreshSession, [], params, options);
  }

  /**
   * Set a new password by token.
   *
   * @example
   * ```ts
   * await novavms.auth.resetPassword({ token: 'pr_made-up-for-this-page', newPassword: 'Better-Horse-2' });
   * ```
   */
  resetPassword(params: ResetPasswordRequest, options?: RequestOptions): ApiPromise<void> {
    return this.call(resetPassword, [], params, options);
  }
}
