/** What a client and a call can be told. @module */

/** A function like the global `fetch`. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** A person's login, as it can be stored and given to `createClient` again. */
export interface LoginSession {
  readonly accessToken: string;
  /** Absent in web pages, where it is a cookie that no script can read. Good once: store the newest. */
  readonly refreshToken?: string | undefined;
  /** When the access token ends (RFC 3339). */
  readonly expiresAt?: string | undefined;
}

/** Options of `createClient`. */
export interface ClientOptions {
  /** `sk_live_…` or `sk_test_…`. Default: the environment's `NOVAVMS_API_KEY`, where no `accessToken` is given. */
  readonly apiKey?: string | undefined;
  /** Of a person's login, instead of an API key. */
  readonly accessToken?: string | undefined;
  /** Renews the access token by itself. */
  readonly refreshToken?: string | undefined;
  /** When the access token ends, so that it is renewed in time and not after a refusal. */
  readonly expiresAt?: string | undefined;
  /** Called with every new login or renewal, and with null when it is over: to store it. */
  readonly onSession?: ((session: LoginSession | null) => void) | undefined;
  /** Without `/api/v1`. Default: the environment's `NOVAVMS_BASE_URL`, or `https://novavms.novalien.com`. */
  readonly baseUrl?: string | undefined;
  /** Milliseconds for one try, from its beginning to the answer's end. Default 60,000. */
  readonly timeout?: number | undefined;
  /** How often a call is tried again after a failure that may pass. Default 3. */
  readonly maxRetries?: number | undefined;
  /** Instead of the global `fetch`: for proxies, tracing, other agents. */
  readonly fetch?: Fetch | undefined;
}

/** Options of one call. */
export interface RequestOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for one try. */
  readonly timeout?: number | undefined;
  readonly maxRetries?: number | undefined;
  /** Of a POST, instead of a random one: the same key makes the same thing once, also after your program was started anew. */
  readonly idempotencyKey?: string | undefined;
  /** An `ETag`: the change is refused with a ConflictError if somebody else changed the object meanwhile. */
  readonly ifMatch?: string | undefined;
}

/** What the transport rests on, handed in so that tests need not wait. */
export interface Surroundings {
  readonly fetch: Fetch;
  /** Waits; rejects with the signal's reason when that ends. */
  readonly pause: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** 0 to 1. */
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The real ones. */
export function surroundings(fetch: Fetch | undefined): Surroundings {
  const found = fetch ?? globalThis.fetch;
  if (typeof found !== 'function') throw new TypeError('there is no fetch here: give one to createClient');
  return {
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    pause,
    random: Math.random,
    now: Date.now,
  };
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** One of the environment's variables; undefined in a browser. */
export function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
}

/** Whether this is a web page or one of its workers: there cookies and CORS are the browser's business. */
export function inBrowser(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node === undefined && ('document' in globalThis || 'importScripts' in globalThis);
}
