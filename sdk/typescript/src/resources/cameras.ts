/** `client.cameras`, with what everybody writes who adds one. @module */
import { CameraStateError } from '../errors.js';
import { CamerasOperations } from '../generated/cameras.js';
import { followed, type CheckOptions, type Look } from '../following.js';
import { LiveWatch, type WatchLiveOptions } from '../live.js';
import type {
  Camera,
  CameraCreate,
  CameraDetail,
  CameraTest,
  CameraUpdate,
  CheckReport,
  CreateCameraParams,
  TestCameraParams,
  UpdateCameraParams,
} from '../generated/types.js';
import type { ApiPromise } from '../promise.js';
import { WebRtcWatch, type WatchWebRtcOptions } from '../webrtc.js';
import { waitFor, type WaitOptions } from '../waiting.js';
import type { WatchLiveParams } from '../way.js';

/** States that a camera leaves only with somebody's help. */
const FINAL: ReadonlySet<Camera['status']> = new Set(['error', 'disabled'] as const);

/** Cameras: add one, and it is checked for real before you get an answer. */
export class Cameras extends CamerasOperations {
  readonly #look: Look = (id, params, options) => this.checkStages(id, params, options);

  override create(params: CameraCreate & CreateCameraParams, options?: CheckOptions): ApiPromise<CameraDetail> {
    return followed(this.transport.around, this.#look, params, options, (given, rest) => super.create(given, rest));
  }

  override update(id: string, params: CameraUpdate & UpdateCameraParams, options?: CheckOptions): ApiPromise<CameraDetail> {
    return followed(this.transport.around, this.#look, params, options, (given, rest) => super.update(id, given, rest));
  }

  override test(params: CameraTest & TestCameraParams, options?: CheckOptions): ApiPromise<CheckReport> {
    return followed(this.transport.around, this.#look, params, options, (given, rest) => super.test(given, rest));
  }

  /**
   * Live video for a SourceBuffer, by a WebSocket. A lost connection is made anew. Throws what another try would not mend, and at the
   * beginning also when `maxRetries` tries all failed; needs a browser, or Node 22 or later.
   *
   * @example
   * ```ts
   * for await (const item of novavms.cameras.watchLive(id, { tier: 'sub' })) {
   *   if (item.kind === 'init') console.log(item.mime);
   *   if (item.kind === 'data') console.log(item.bytes.length);
   *   if (item.kind === 'waiting') console.log(item.message);
   * }
   * ```
   */
  watchLive(id: string, params: WatchLiveParams = {}, options: WatchLiveOptions = {}): LiveWatch {
    return new LiveWatch(this.transport, (asked, rest) => this.live(id, asked, rest), params, options);
  }

  /**
   * Live video over WebRTC, in a browser. Nothing is tried again by itself: it throws what the API says, and the last item is `end`, with
   * `no_webrtc` or `codec_unsupported` where it is not offered, `connection_failed`, or `connection_lost`.
   *
   * @example
   * ```ts
   * for await (const item of novavms.cameras.watchWebRtc(id)) {
   *   if (item.kind === 'stream') console.log(item.stream);
   *   if (item.kind === 'end') console.log(item.reason, item.message);
   * }
   * ```
   */
  watchWebRtc(id: string, params: WatchLiveParams = {}, options: WatchWebRtcOptions = {}): WebRtcWatch {
    return new WebRtcWatch(this.transport, (asked, rest) => this.live(id, asked, rest), params, options);
  }

  /**
   * Waits until the camera is in this state: a direct one is `pending` at first, a re-enabled one `offline`.
   *
   * Throws CameraStateError when it goes to `error` or `disabled` instead, and WaitTimeoutError after `timeout` milliseconds,
   * 60,000 by default; its `last` is the camera.
   *
   * @example
   * ```ts
   * const camera = await novavms.cameras.waitUntil(id, 'online', { timeout: 30_000 });
   * ```
   */
  waitUntil(id: string, status: Camera['status'] = 'online', options?: WaitOptions): Promise<CameraDetail> {
    let first: CameraDetail | undefined;
    const enough = (camera: CameraDetail) => {
      if (camera.status === status) return true;
      first ??= camera;
      // One that was in error when we came may be leaving it: its credentials were just mended.
      if (FINAL.has(camera.status) && camera.statusAt !== first.statusAt) {
        throw new CameraStateError(`the camera is ${told(camera)}`, camera);
      }
      return false;
    };
    const late = (camera: CameraDetail) => `the camera is still ${told(camera)}, not ${status}`;
    return waitFor(this.transport.around, () => this.get(id, { signal: options?.signal }), enough, late, options);
  }
}

function told(camera: CameraDetail): string {
  const why = camera.statusMessage ?? camera.statusReason;
  return why === null ? camera.status : `${camera.status} (${why})`;
}
