/** `createClient`. @module */
import { Credentials } from './credentials.js';
import { Api } from './generated/api.js';
import { environment, surroundings, type ClientOptions, type Surroundings } from './options.js';
import { Transport } from './transport.js';

const DEFAULT_BASE_URL = 'https://novavms.novalien.com';
const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_RETRIES = 3;

/** A client of the NovaVMS API. Made by `createClient`; prints and serializes without its credential. */
export class NovaVMS extends Api {
  readonly #root: string;

  /** @internal */
  constructor(transport: Transport) {
    super(transport);
    this.#root = transport.root;
  }

  /** Where the API is, without `/api/v1`. */
  get baseUrl(): string {
    return this.#root.slice(0, -'/api/v1'.length);
  }
}

/**
 * A client of the NovaVMS API.
 *
 * @example
 * ```ts
 * const novavms = createClient({ apiKey: 'sk_live_abc123' });
 * for await (const camera of novavms.cameras.list()) console.log(camera.name, camera.status);
 * ```
 */
export function createClient(options: ClientOptions = {}): NovaVMS {
  return buildClient(options, surroundings(options.fetch));
}

/** @internal With clock, pauses and chance handed in. */
export function buildClient(options: ClientOptions, around: Surroundings): NovaVMS {
  const root = rootOf(options.baseUrl ?? environment('NOVAVMS_BASE_URL') ?? DEFAULT_BASE_URL);
  const credentials = new Credentials(options, around.now);
  const timeout = positive('timeout', options.timeout ?? DEFAULT_TIMEOUT_MS);
  const transport = new Transport(root, around, credentials, timeout, count(options.maxRetries ?? DEFAULT_RETRIES));
  const client = new NovaVMS(transport);
  credentials.renew = (refreshToken) => client.auth.renewed(refreshToken);
  return client;
}

function rootOf(baseUrl: string): string {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    throw new TypeError('baseUrl is not an address such as https://novavms.example.com');
  }
  if (!/^https?:$/.test(url.protocol)) throw new TypeError('baseUrl must begin with https:// or http://');
  if (url.username !== '' || url.password !== '') throw new TypeError('baseUrl must have no user and password in it');
  if (url.search !== '' || url.hash !== '') throw new TypeError('baseUrl must have no query');
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '')}/api/v1`;
}

function positive(name: string, value: number): number {
  if (!(value > 0)) throw new TypeError(`${name} must be milliseconds, more than 0`);
  return value;
}

function count(value: number): number {
  if (!Number.isInteger(value) || value < 0) throw new TypeError('maxRetries must be 0 or more');
  return value;
}
