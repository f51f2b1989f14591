/** `client.exports`, with waiting for them and fetching their files. @module */
import { download, type DownloadOptions } from '../download.js';
import { ExportFailedError } from '../errors.js';
import type { Target } from '../files.js';
import { ExportsOperations } from '../generated/exports.js';
import type { Export } from '../generated/types.js';
import { waitFor, type WaitOptions } from '../waiting.js';

/** How long to wait for an export, and whom to tell. */
export interface ExportWaitOptions extends WaitOptions {
  /** Called each time the export is looked at. */
  readonly onProgress?: ((seen: Export) => void) | undefined;
}

const TIMEOUT_MS = 600_000;

/** Footage as evidence: signed, and verified offline. */
export class Exports extends ExportsOperations {
  /**
   * Waits until the export is ready.
   *
   * Throws ExportFailedError where it came to nothing, and WaitTimeoutError after `timeout` milliseconds, 600,000 by default:
   * then it goes on being made.
   *
   * @example
   * ```ts
   * const made = await novavms.exports.waitUntilReady(id, { onProgress: (seen) => console.log(seen.status) });
   * ```
   */
  waitUntilReady(id: string, options?: ExportWaitOptions): Promise<Export> {
    const enough = (seen: Export) => {
      options?.onProgress?.(seen);
      if (seen.status === 'failed') {
        throw new ExportFailedError(seen.statusMessage ?? seen.statusReason ?? 'the export came to nothing', seen);
      }
      return seen.status === 'ready';
    };
    const look = () => this.get(id, { signal: options?.signal });
    const late = (seen: Export) => `the export is still ${seen.status}`;
    return waitFor(this.transport.around, look, enough, late, { timeout: TIMEOUT_MS, ...options });
  }

  /**
   * Writes the export's file to a path (Node) or a stream. Goes on where a connection broke off, and compares size and SHA-256 (in Node)
   * with what the server says: DownloadError. Under the path there is never half a file.
   *
   * @example
   * ```ts
   * await novavms.exports.download(id, 'evidence.zip');
   * ```
   */
  async download(id: string, target: Target, options?: DownloadOptions): Promise<void> {
    const asked = { signal: options?.signal };
    const { sizeBytes, sha256 } = await this.get(id, asked);
    const whole = { bytes: sizeBytes, sha256 };
    await download(this.transport, async () => await this.downloadUrl(id, asked), target, whole, options);
  }
}
