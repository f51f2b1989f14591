/** `client.webhooks`. @module */
import { Resource } from '../resource.js';
import { verifySignature, type VerifyOptions } from '../webhooks.js';

/** Checking that a webhook is from NovaVMS. */
export class Webhooks extends Resource {
  /** See `verifySignature`, which can be imported by itself: receivers need no client. */
  verifySignature(payload: string | Uint8Array | ArrayBuffer, options: VerifyOptions): Promise<void> {
    return verifySignature(payload, options);
  }
}
