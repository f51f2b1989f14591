/** What the API document says of one operation, as far as sending it goes. @module */
import type { Shape } from './casing.js';

/** Made from the API document: see generated/. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`; `{}` stands for one path argument each. */
  readonly path: string;
  /** What goes into the query, in snake_case; the other parameters are the body. */
  readonly query?: readonly string[];
  readonly hasBody?: true;
  readonly input?: Shape;
  readonly output?: Shape;
  /** Takes an Idempotency-Key: repeated, it does its work once. */
  readonly keyed?: true;
  /** Needs no credential. */
  readonly open?: true;
  /** `json`; `none` (204); `bytes` (a picture); `link` (a redirect whose target is the answer). */
  readonly reply: 'json' | 'none' | 'bytes' | 'link';
}

/** Whether a repetition does no harm, even if the first request was handled and only its answer was lost. */
export function repeatable(operation: Operation): boolean {
  return operation.method !== 'POST' || operation.keyed === true;
}

/** Version 4. Not by randomUUID alone: pages that were fetched without TLS do not have it. */
export function uuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
