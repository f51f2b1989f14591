/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { Camera, CameraCreate, CameraDetail, CameraTest, CameraUpdate, CheckReport, CheckStages, ClipCreate, CreateCameraParams, GetCameraLiveParams, GetCameraPlaybackParams, GetCameraRecordingsParams, GetCameraSnapshotParams, GetCameraThumbnailsParams, GetCheckStagesParams, ListCamerasParams, Live, Recordings, TestCameraParams, Trigger, Triggered, UpdateCameraParams } from './types.js';

const listCameras: Operation = {
  id: 'listCameras',
  method: 'GET',
  path: '/cameras',
  query: ['connection_mode', 'cursor', 'gateway_id', 'limit', 'q', 'site_id', 'sort', 'status', 'type'],
  reply: 'json',
};

const createCamera: Operation = {
  id: 'createCamera',
  method: 'POST',
  path: '/cameras',
  query: ['check_id', 'on_duplicate'],
  hasBody: true,
  output: { check: { facts: 0 } },
  keyed: true,
  reply: 'json',
};

const getCheckStages: Operation = {
  id: 'getCheckStages',
  method: 'GET',
  path: '/cameras/checks/{}',
  query: ['after', 'wait_sec'],
  reply: 'json',
};

const testCamera: Operation = {
  id: 'testCamera',
  method: 'POST',
  path: '/cameras/test',
  query: ['check_id'],
  hasBody: true,
  output: { facts: 0 },
  keyed: true,
  reply: 'json',
};

const getCamera: Operation = {
  id: 'getCamera',
  method: 'GET',
  path: '/cameras/{}',
  output: { check: { facts: 0 } },
  reply: 'json',
};

const updateCamera: Operation = {
  id: 'updateCamera',
  method: 'PATCH',
  path: '/cameras/{}',
  query: ['check_id'],
  hasBody: true,
  output: { check: { facts: 0 } },
  reply: 'json',
};

const deleteCamera: Operation = {
  id: 'deleteCamera',
  method: 'DELETE',
  path: '/cameras/{}',
  reply: 'none',
};

const acceptCameraMove: Operation = {
  id: 'acceptCameraMove',
  method: 'POST',
  path: '/cameras/{}/accept-move',
  output: { check: { facts: 0 } },
  keyed: true,
  reply: 'json',
};

const dismissCameraMove: Operation = {
  id: 'dismissCameraMove',
  method: 'DELETE',
  path: '/cameras/{}/move',
  reply: 'none',
};

const getCameraSnapshot: Operation = {
  id: 'getCameraSnapshot',
  method: 'GET',
  path: '/cameras/{}/snapshot',
  query: ['width'],
  reply: 'bytes',
};

const triggerCamera: Operation = {
  id: 'triggerCamera',
  method: 'POST',
  path: '/cameras/{}/trigger',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const createCameraClip: Operation = {
  id: 'createCameraClip',
  method: 'POST',
  path: '/cameras/{}/clips',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const getCameraPlayback: Operation = {
  id: 'getCameraPlayback',
  method: 'GET',
  path: '/cameras/{}/playback',
  query: ['from', 'to'],
  reply: 'link',
};

const getCameraRecordings: Operation = {
  id: 'getCameraRecordings',
  method: 'GET',
  path: '/cameras/{}/recordings',
  query: ['from', 'to'],
  reply: 'json',
};

const getCameraThumbnails: Operation = {
  id: 'getCameraThumbnails',
  method: 'GET',
  path: '/cameras/{}/thumbnails',
  query: ['count', 'from', 'to', 'width'],
  reply: 'bytes',
};

const getCameraLive: Operation = {
  id: 'getCameraLive',
  method: 'GET',
  path: '/cameras/{}/live',
  query: ['codecs', 'tier'],
  reply: 'json',
};

/** Add a camera, and it is checked for real before you get an answer. */
export class CamerasOperations extends Resource {
  /**
   * List cameras.
   *
   * A viewer's are those of the sites it was granted; naming another site is 403.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.cameras.list()) console.log(item);
   * ```
   */
  list(params?: ListCamerasParams, options?: RequestOptions): PagePromise<Camera> {
    return this.pages(listCameras, [], params, options);
  }

  /**
   * Add a camera.
   *
   * Gateway-bound: the gateway checks address and credentials before the answer, up to 15 s; a failed check is a 400 with `reason`, `hint` and the whole report as `check`, and nothing of the camera stays. Direct: answers at once with status `pending`.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.create({
   *   siteId: '0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e',
   *   name: 'Front door',
   *   type: 'onvif',
   *   connectionMode: 'gateway',
   *   gatewayId: '0198f2a4-7000-7a10-8b20-9c30ad40be50',
   *   host: '192.0.2.10',
   *   port: 80,
   *   onvifUsername: 'novavms',
   *   onvifPassword: 'correct horse battery',
   * });
   * ```
   */
  create(params: CameraCreate & CreateCameraParams, options?: RequestOptions): ApiPromise<CameraDetail> {
    return this.call(createCamera, [], params, options);
  }

  /**
   * Follow a running check.
   *
   * The stages of a check that was begun with this `checkId`, as they pass: waits until there are more than `after`, or `waitSec` is over. 404 before it began and from a minute after its end; the report itself is in the answer of the request that began it.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.checkStages(id);
   * ```
   */
  checkStages(id: string, params?: GetCheckStagesParams, options?: RequestOptions): ApiPromise<CheckStages> {
    return this.call(getCheckStages, [id], params, options);
  }

  /**
   * Check a camera without adding it.
   *
   * The report is a 200 whether or not the camera works: see its `ok`.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.test({
   *   type: 'onvif',
   *   connectionMode: 'gateway',
   *   gatewayId: '0198f2a4-7000-7a10-8b20-9c30ad40be50',
   *   host: '192.0.2.10',
   *   port: 80,
   *   onvifUsername: 'novavms',
   *   onvifPassword: 'correct horse battery',
   * });
   * ```
   */
  test(params: CameraTest & TestCameraParams, options?: RequestOptions): ApiPromise<CheckReport> {
    return this.call(testCamera, [], params, options);
  }

  /**
   * Get a camera.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.get(id);
   * ```
   */
  get(id: string, options?: RequestOptions): ApiPromise<CameraDetail> {
    return this.call(getCamera, [id], undefined, options);
  }

  /**
   * Change a camera.
   *
   * A change of address, credentials or transport of a gateway-bound camera is checked first; where the check fails, the answer is a 400 and the camera stays exactly as it was.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.update(id, { name: 'Back door' });
   * ```
   */
  update(id: string, params: CameraUpdate & UpdateCameraParams, options?: RequestOptions): ApiPromise<CameraDetail> {
    return this.call(updateCamera, [id], params, options);
  }

  /**
   * Delete a camera.
   *
   * Its events and recordings stay readable.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * await novavms.cameras.delete(id);
   * ```
   */
  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(deleteCamera, [id], undefined, options);
  }

  /**
   * Let a camera be where it was found.
   *
   * `movedTo` names the address at which its gateway found a missing camera. It is checked there with its own login, up to 15 s; where that fails, or another device answers, the answer is a 400 and nothing changes.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.acceptMove(id);
   * ```
   */
  acceptMove(id: string, options?: RequestOptions): ApiPromise<CameraDetail> {
    return this.call(acceptCameraMove, [id], undefined, options);
  }

  /**
   * Dismiss the address at which a camera was found.
   *
   * The same address is not offered again until the camera was back.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * await novavms.cameras.dismissMove(id);
   * ```
   */
  dismissMove(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(dismissCameraMove, [id], undefined, options);
  }

  /**
   * A picture now (JPEG).
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const jpeg = await novavms.cameras.snapshot(id);
   * ```
   */
  snapshot(id: string, params?: GetCameraSnapshotParams, options?: RequestOptions): ApiPromise<Blob> {
    return this.call(getCameraSnapshot, [id], params, options);
  }

  /**
   * Record a clip now.
   *
   * Once in 5 seconds for each camera, whoever asks.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.triggerRecording(id, { durationSec: 15, note: 'A van at the gate' });
   * ```
   */
  triggerRecording(id: string, params?: Trigger, options?: RequestOptions): ApiPromise<Triggered> {
    return this.call(triggerCamera, [id], params, options);
  }

  /**
   * Cut a clip out of the recording.
   *
   * Of any past moment, at most an hour: an event with a clip, which is followed as a triggered one's at `GET /events/{eventId}`. 409 with the gap's `reason` where nothing was recorded; what is missing within is the clip's `gapSec`. 503 with `reason` while the gateway is away.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.createClip(id, { from: '2026-03-01T10:00:00Z', to: '2026-03-01T10:05:00Z', note: 'A van at the gate' });
   * ```
   */
  createClip(id: string, params: ClipCreate, options?: RequestOptions): ApiPromise<Triggered> {
    return this.call(createCameraClip, [id], params, options);
  }

  /**
   * Play recorded footage (HLS).
   *
   * Redirects to an HLS playlist (fragmented MP4) of the footage from `from` on: at most 24 hours, an hour where `to` is not given. The address is good for six hours, and no longer than the caller's right to see the camera. Bytes come straight from the gateway: 503 with `reason` while it is away. 404 with the gap's `reason` where there is none.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const url = await novavms.cameras.playbackUrl(id);
   * ```
   */
  playbackUrl(id: string, params?: GetCameraPlaybackParams, options?: RequestOptions): ApiPromise<string> {
    return this.call(getCameraPlayback, [id], params, options);
  }

  /**
   * What footage there is of a camera, and why where there is none.
   *
   * Spans and gaps together are the whole range, each moment once; at most 366 days. Of deleted cameras, too. It answers also while the gateway is away: what the gateway has not told is a gap `gateway_offline`.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.recordings(id);
   * ```
   */
  recordings(id: string, params?: GetCameraRecordingsParams, options?: RequestOptions): ApiPromise<Recordings> {
    return this.call(getCameraRecordings, [id], params, options);
  }

  /**
   * A strip of pictures for a timeline (JPEG).
   *
   * One JPEG of `count` tiles side by side, each the middle of its share of the range; at most 31 days. Headers: `X-Thumbnail-Times`, the time of each tile's picture, separated by commas, empty where there is no footage (the tile is black); `X-Thumbnail-Width` and `-Height` of one tile. 404 with the gap's `reason` where there is nothing at all, 503 with `reason` while the gateway is away.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const jpeg = await novavms.cameras.thumbnails(id);
   * ```
   */
  thumbnails(id: string, params?: GetCameraThumbnailsParams, options?: RequestOptions): ApiPromise<Blob> {
    return this.call(getCameraThumbnails, [id], params, options);
  }

  /**
   * Watch a camera live.
   *
   * Ways to watch, best first for what the viewer can decode. Each address is good for an hour to begin, opens this camera and nothing else, and ends within 5 s with the caller's right to see it. `mse`: a WebSocket whose text messages say what comes, and whose binary ones are fragmented MP4 for MediaSource. `hls`: low-latency HLS. `webrtc`: WHEP. URLs are whole where NOVAVMS_PUBLIC_URL is set, else begin with `/`.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.cameras.live(id);
   * ```
   */
  live(id: string, params?: GetCameraLiveParams, options?: RequestOptions): ApiPromise<Live> {
    return this.call(getCameraLive, [id], params, options);
  }
}
