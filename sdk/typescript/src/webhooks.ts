/**
 * Webhooks that come to you: are they from NovaVMS, and from now?
 * @module
 */
import { WebhookSignatureError } from './errors.js';

/** Headers as `Headers`, or as the plain object that Node's http gives. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** What `verifySignature` compares with. */
export interface VerifyOptions {
  /** The webhook's secret, `whsec_…`. */
  readonly secret: string;
  /** The request's headers: `X-Webhook-Signature` and `X-Webhook-Timestamp` are taken from them. */
  readonly headers?: WebhookHeaders | undefined;
  /** Instead of the header. */
  readonly signature?: string | undefined;
  /** Instead of the header: seconds since 1970, or RFC 3339. */
  readonly timestamp?: string | number | undefined;
  /** How far from now the time may be. Default 300. */
  readonly toleranceSec?: number | undefined;
}

const DEFAULT_TOLERANCE_SEC = 300;

/**
 * Throws WebhookSignatureError unless the signature is that of this body and its time is near. Compares in constant time.
 *
 * @param payload The body as it came, before anything parsed it: parsed and written again, it has another signature.
 */
export async function verifySignature(payload: string | Uint8Array | ArrayBuffer, options: VerifyOptions): Promise<void> {
  if (options.secret === '') throw new TypeError('the webhook secret is empty');
  const signature = options.signature ?? header(options.headers, 'x-webhook-signature');
  const timestamp = options.timestamp ?? header(options.headers, 'x-webhook-timestamp');
  if (signature === undefined) throw new WebhookSignatureError('there is no signature');
  if (timestamp === undefined) throw new WebhookSignatureError('there is no timestamp');
  const bytes = unhex(signature.trim());
  const { subtle } = crypto;
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await subtle.importKey('raw', new TextEncoder().encode(options.secret), algorithm, false, ['verify']);
  const body = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  if (bytes === null || !(await subtle.verify('HMAC', key, bytes, body as BufferSource))) {
    throw new WebhookSignatureError('the signature is not that of this body under this secret');
  }
  checkTime(timestamp, options.toleranceSec ?? DEFAULT_TOLERANCE_SEC);
}

function header(headers: WebhookHeaders | undefined, name: string): string | undefined {
  if (headers === undefined) return undefined;
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined;
  for (const [other, value] of Object.entries(headers)) {
    if (other.toLowerCase() === name) return typeof value === 'string' ? value : undefined;
  }
  return undefined;
}

function checkTime(timestamp: string | number, toleranceSec: number): void {
  const numeric = typeof timestamp === 'number' || /^\d+(\.\d+)?$/.test(timestamp.trim());
  const seconds = numeric ? Number(timestamp) : Date.parse(timestamp as string) / 1000;
  if (!Number.isFinite(seconds)) throw new WebhookSignatureError('the timestamp cannot be read');
  if (Math.abs(Date.now() / 1000 - seconds) > toleranceSec) {
    throw new WebhookSignatureError(`the timestamp is more than ${toleranceSec} s from now`);
  }
}

/** The bytes of a hexadecimal SHA-256; null if it is none. */
function unhex(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[0-9a-f]{64}$/i.test(text)) return null;
  return Uint8Array.from({ length: 32 }, (_, place) => Number.parseInt(text.slice(place * 2, place * 2 + 2), 16));
}
