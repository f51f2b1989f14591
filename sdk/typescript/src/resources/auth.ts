/** `client.auth`: the client takes the login that it gets here for its own. @module */
import { AuthOperations } from '../generated/auth.js';
import type { LoginAnswer, LoginRequest, RefreshRequest } from '../generated/types.js';
import { inBrowser, type RequestOptions, type LoginSession } from '../options.js';
import { ApiPromise } from '../promise.js';
import type { WithResponse } from '../transport.js';

/** Log in, refresh, log out, passwords. */
export class Auth extends AuthOperations {
  /** The newest answer to a renewal. */
  #renewed: WithResponse<LoginAnswer> | undefined;

  /**
   * Log in. From then on this client is that person: it sends the access token with every call and renews it in time.
   *
   * `clientType` is `web` in a web page, where the refresh token is a cookie that no script can read, and `api` elsewhere.
   *
   * @example
   * ```ts
   * await novavms.auth.login({ email: 'ada@example.com', password: 'Correct-Horse-1' });
   * ```
   */
  override login(params: LoginRequest, options?: RequestOptions): ApiPromise<LoginAnswer> {
    const clientType = params.clientType ?? (inBrowser() ? 'web' : 'api');
    return new ApiPromise(this.#adopted(super.login({ ...params, clientType }, options)));
  }

  /**
   * New tokens now. The client does this by itself, shortly before the old ones end; call it in a web page that was loaded
   * anew, to go on with the login of its cookie. Without a token of your own it joins a renewal that is under way.
   */
  override refresh(params?: RefreshRequest, options?: RequestOptions): ApiPromise<LoginAnswer> {
    if (params?.refreshToken !== undefined) return new ApiPromise(this.#adopted(super.refresh(params, options)));
    const { credentials } = this.transport;
    return new ApiPromise(credentials.refresh().then(() => this.#renewed as WithResponse<LoginAnswer>));
  }

  /** Log out: the session ends, and the client forgets its tokens. */
  override logout(options?: RequestOptions): ApiPromise<void> {
    const ended = super.logout(options).withResponse();
    return new ApiPromise(
      ended.then((answer) => {
        this.transport.credentials.forget();
        return answer;
      }),
    );
  }

  /** @internal Without adopting: what the credentials renew themselves with. */
  async renewed(refreshToken: string | undefined): Promise<LoginSession> {
    const asked = super.refresh(refreshToken === undefined ? {} : { refreshToken });
    this.#renewed = await asked.withResponse();
    return sessionOf(this.#renewed.data);
  }

  async #adopted(asked: ApiPromise<LoginAnswer>): Promise<WithResponse<LoginAnswer>> {
    const answer = await asked.withResponse();
    this.transport.credentials.adopt(sessionOf(answer.data));
    return answer;
  }
}

function sessionOf(answer: LoginAnswer): LoginSession {
  return { accessToken: answer.accessToken, refreshToken: answer.refreshToken, expiresAt: answer.expiresAt };
}
