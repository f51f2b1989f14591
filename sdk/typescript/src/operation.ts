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
