/** Who asks: an API key, or a login that is renewed in time. @module */
import { NovaVMSError } from './errors.js';
import { environment, type ClientOptions, type LoginSession } from './options.js';

/** Renewed so long before its end: a request on its way must not meet it. */
const EARLY_MS = 30_000;

/** Keeps the credential of a client. Nothing of it can be listed or printed. */
export class Credentials {
  #apiKey: string | undefined;
  #session: LoginSession | null = null;
  /** When to renew; Infinity where only a refusal tells. */
  #renewAt = Infinity;
  #renewing: Promise<void> | null = null;
  /** A web page's refresh token is a cookie. */
  #cookie = false;
  readonly #now: () => number;
  readonly #onSession: ((session: LoginSession | null) => void) | undefined;
  /** Asks the API for new tokens. Set by the client, whose transport needs the credentials first. */
  renew: ((refreshToken: string | undefined) => Promise<LoginSession>) | null = null;

  constructor(options: ClientOptions, now: () => number) {
    this.#now = now;
    this.#onSession = options.onSession;
    if (options.apiKey !== undefined && (options.accessToken !== undefined || options.refreshToken !== undefined)) {
      throw new TypeError('give an apiKey or a login (accessToken, refreshToken), not both');
    }
    const login = options.accessToken !== undefined || options.refreshToken !== undefined;
    this.#apiKey = login ? undefined : token('apiKey', options.apiKey ?? environment('NOVAVMS_API_KEY'));
    if (login) {
      const { accessToken = '', refreshToken, expiresAt } = options;
      this.#take({ accessToken, refreshToken, expiresAt });
      if (accessToken === '') this.#renewAt = 0;
    }
  }

  /** The `Authorization` header, renewed where its time has come. A plain value where nothing has to be waited for. */
  authorization(): string | undefined | Promise<string | undefined> {
    if (this.#apiKey !== undefined) return `Bearer ${this.#apiKey}`;
    if (this.#session === null) return undefined;
    if (this.#renewAt > this.#now() || !this.#renewable) return `Bearer ${this.#session.accessToken}`;
    return this.refresh().then(() => this.#header());
  }

  /** After a 401 to a request with this header: whether another try makes sense, with a new token. */
  async refused(header: string | undefined): Promise<boolean> {
    if (this.#session === null) return false;
    if (this.#header() !== header) return true; // somebody renewed it meanwhile
    if (!this.#renewable) return false;
    await this.refresh();
    return true;
  }

  /** New tokens. Once at a time, however many wait for it: a refresh token is good once. */
  refresh(): Promise<void> {
    this.#renewing ??= this.#refresh().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** From now on this login counts, also instead of an API key. */
  adopt(session: LoginSession): void {
    this.#apiKey = undefined;
    this.#cookie = session.refreshToken === undefined;
    this.#take(session);
    this.#onSession?.(session);
  }

  /** The login is over. */
  forget(): void {
    if (this.#session === null) return;
    this.#session = null;
    this.#cookie = false;
    this.#renewAt = Infinity;
    this.#onSession?.(null);
  }

  get #renewable(): boolean {
    return this.#cookie || this.#session?.refreshToken !== undefined;
  }

  #header(): string | undefined {
    return this.#session === null ? undefined : `Bearer ${this.#session.accessToken}`;
  }

  async #refresh(): Promise<void> {
    if (this.renew === null) throw new NovaVMSError('this client cannot renew its login');
    this.adopt(await this.renew(this.#session?.refreshToken));
  }

  #take(session: LoginSession): void {
    token('accessToken', session.accessToken);
    token('refreshToken', session.refreshToken);
    this.#session = session;
    const end = session.expiresAt === undefined ? NaN : Date.parse(session.expiresAt);
    // Where this clock is so far ahead that the token looks used up on arrival, only the server's refusal counts.
    this.#renewAt = end - EARLY_MS > this.#now() ? end - EARLY_MS : Infinity;
  }
}

/** The value, if it fits into a header. Said here without the value: fetch would put it into its error. */
function token(name: string, value: string | undefined): string | undefined {
  if (value !== undefined && !/^[\x21-\x7e]*$/.test(value)) {
    throw new TypeError(`${name} has characters that no key or token has (a blank or a line end, perhaps)`);
  }
  return value;
}
