/**
 * The NovaVMS API for TypeScript and JavaScript.
 * @module
 */
export { createClient } from './client.js';
export type { NovaVMS } from './client.js';
export type { DownloadOptions, Progress } from './download.js';
export * from './errors.js';
export type { Target } from './files.js';
export type { CheckOptions } from './following.js';
export type * from './generated/types.js';
export type { LiveData, LiveInit, LiveItem, LiveWatch, WatchLiveOptions } from './live.js';
export type { LiveEnd, LiveTier, LiveWaiting, WatchLiveParams } from './way.js';
export type {
  BrowserStream,
  IceServer,
  WatchWebRtcOptions,
  WebRtcConnected,
  WebRtcItem,
  WebRtcStream,
  WebRtcWatch,
} from './webrtc.js';
export type { ClientOptions, Fetch, RequestOptions, LoginSession } from './options.js';
export type { ApiPromise, Page, PagePromise } from './promise.js';
export type { ReadyClip } from './resources/events.js';
export type { ExportWaitOptions } from './resources/exports.js';
export type { StreamItem, StreamOptions, StreamParams } from './resources/stream.js';
export type { WithResponse } from './transport.js';
export { VERSION } from './version.js';
export type { WaitOptions } from './waiting.js';
export { verifySignature } from './webhooks.js';
export type { VerifyOptions, WebhookHeaders } from './webhooks.js';
