/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */

export interface Accepted {
  message: string;
}

/** A key, without its secret. */
export interface ApiKey {
  id: string;
  name: string | null;
  /** The first 12 characters, to tell keys apart. */
  prefix: string;
  createdAt: string;
  /** To within five minutes. */
  lastUsedAt: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
}

export interface ApiKeyCreate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | null | undefined;
  /** Unset: never. */
  expiresAt?: string | Date | null | undefined;
}

export interface ApiKeyCreated {
  id: string;
  name: string | null;
  prefix: string;
  /** Shown only here. */
  key: string;
  createdAt: string;
  expiresAt: string | null;
}

/** A camera. No user name and no password: they go in and never come out. */
export interface Camera {
  id: string;
  name: string;
  siteId: string;
  gatewayId: string | null;
  connectionMode: 'gateway' | 'direct';
  type: 'rtsp' | 'onvif';
  status: 'online' | 'offline' | 'pending' | 'error' | 'disabled';
  statusReason: string | null;
  statusMessage: string | null;
  statusAt: string;
  activeTier: 'main' | 'sub';
  streamTransport: 'tcp' | 'udp' | 'auto';
  recordingStream: 'main' | 'sub';
  detectionStream: 'main' | 'sub';
  recordingMode: 'off' | 'continuous' | 'events';
  recordingSchedule: ScheduleWindow[] | null;
  retentionDays: number;
  retentionBytes: number | null;
  enabled: boolean;
  host: string;
  port: number;
  rtspUrl: string | null;
  codec: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  hasAudio: boolean | null;
  manufacturer: string | null;
  model: string | null;
  firmware: string | null;
  profiles: Profile[];
  lastSeenAt: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** A camera to add. */
export interface CameraCreate {
  type: 'rtsp' | 'onvif';
  /** Default: "gateway". */
  connectionMode?: 'gateway' | 'direct' | undefined;
  gatewayId?: string | null | undefined;
  /** rtsp:// or rtsps://; user and password in it are split out and never shown again */
  rtspUrl?: string | null | undefined;
  rtspUsername?: string | null | undefined;
  rtspPassword?: string | null | undefined;
  /** name or IP address */
  host?: string | null | undefined;
  port?: number | null | undefined;
  onvifUsername?: string | null | undefined;
  onvifPassword?: string | null | undefined;
  /** Left out: `continuous` by a gateway, `events` in direct mode. */
  recordingMode?: 'off' | 'continuous' | 'events' | undefined;
  /** When to record continuously, on the site's clock; null: always */
  recordingSchedule?: ScheduleWindow[] | null | undefined;
  /** How long footage is kept on the gateway Default: 30. */
  retentionDays?: number | undefined;
  /** The most that this camera's footage may take on the gateway; null: only the disk's own limit */
  retentionBytes?: number | null | undefined;
  siteId: string;
  /** 1 to 100 characters, not only blanks, no control characters */
  name: string;
}

/**
 * A camera was added, changed by a person, or deleted: then `camera` is null. To a viewer that sees only the site that a
 * camera has left, it is told as deleted there.
 */
export interface CameraData {
  change: 'created' | 'deleted' | 'updated';
  cameraId: string;
  siteId: string;
  camera: Camera | null;
}

/**
 * One camera by itself: a list's item, and `check`, the report of its last connection check.
 *
 * Read from the table, `profiles`, `check` and `movedTo` are plain JSON as it was checked and stored; that is how it is shown.
 */
export interface CameraDetail {
  id: string;
  name: string;
  siteId: string;
  gatewayId: string | null;
  connectionMode: 'gateway' | 'direct';
  type: 'rtsp' | 'onvif';
  status: 'online' | 'offline' | 'pending' | 'error' | 'disabled';
  statusReason: string | null;
  statusMessage: string | null;
  statusAt: string;
  activeTier: 'main' | 'sub';
  streamTransport: 'tcp' | 'udp' | 'auto';
  recordingStream: 'main' | 'sub';
  detectionStream: 'main' | 'sub';
  recordingMode: 'off' | 'continuous' | 'events';
  recordingSchedule: ScheduleWindow[] | null;
  retentionDays: number;
  retentionBytes: number | null;
  enabled: boolean;
  host: string;
  port: number;
  rtspUrl: string | null;
  codec: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  hasAudio: boolean | null;
  manufacturer: string | null;
  model: string | null;
  firmware: string | null;
  profiles: Profile[];
  lastSeenAt: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  check?: CheckReport | null;
  /** Another address at which it was found while it was missing; to be accepted or dismissed. */
  movedTo?: MovedTo | null;
  /** SHA-256 of the certificate that the camera is held to: of rtsps, or (ONVIF) of https. Null: it has shown none. */
  tlsFingerprint?: string | null;
  /** ONVIF: the same of the rtsps stream that the camera names. */
  streamTlsFingerprint?: string | null;
  tlsPinnedAt?: string | null;
}

/** What people do to cameras. */
export interface CameraItem {
  type: 'camera';
  id: string;
  at: string;
  data: CameraData;
}

/** A camera's state, or the stream in use, or its picture's facts changed. `since` is when it got into this state. */
export interface CameraStatusData {
  cameraId: string;
  siteId: string;
  gatewayId: string | null;
  status: 'disabled' | 'error' | 'offline' | 'online' | 'pending';
  reason: string | null;
  message: string | null;
  since: string;
  activeTier: 'main' | 'sub';
  codec: string | null;
  width: number | null;
  height: number | null;
  hasAudio: boolean | null;
}

/** What a camera does. */
export interface CameraStatusItem {
  type: 'camera_status';
  id: string;
  at: string;
  data: CameraStatusData;
}

/** How one camera was recorded in the range. `sizeBytes` and `oldestAt` are of all its footage there is. */
export interface CameraSummary {
  cameraId: string;
  name: string;
  status: 'online' | 'offline' | 'pending' | 'error' | 'disabled';
  recordingMode: 'off' | 'continuous' | 'events';
  isRecording: boolean;
  percentCovered: number;
  longestGap: FootageGap | null;
  sizeBytes: number;
  oldestAt: string | null;
  asOf: string | null;
}

/** What to check. A body for POST /cameras fits as it is: `siteId` and `name` are not used. */
export interface CameraTest {
  type: 'rtsp' | 'onvif';
  /** Default: "gateway". */
  connectionMode?: 'gateway' | 'direct' | undefined;
  gatewayId?: string | null | undefined;
  /** rtsp:// or rtsps://; user and password in it are split out and never shown again */
  rtspUrl?: string | null | undefined;
  rtspUsername?: string | null | undefined;
  rtspPassword?: string | null | undefined;
  /** name or IP address */
  host?: string | null | undefined;
  port?: number | null | undefined;
  onvifUsername?: string | null | undefined;
  onvifPassword?: string | null | undefined;
  /** Left out: `continuous` by a gateway, `events` in direct mode. */
  recordingMode?: 'off' | 'continuous' | 'events' | undefined;
  /** When to record continuously, on the site's clock; null: always */
  recordingSchedule?: ScheduleWindow[] | null | undefined;
  /** How long footage is kept on the gateway Default: 30. */
  retentionDays?: number | undefined;
  /** The most that this camera's footage may take on the gateway; null: only the disk's own limit */
  retentionBytes?: number | null | undefined;
  siteId?: string | null | undefined;
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | null | undefined;
}

/**
 * What to change; what is left out stays. Every change of address, credentials or transport is checked first.
 *
 * `tlsFingerprint` null forgets the certificates that the camera was held to: the ones it shows now are believed. A
 * fingerprint lets it show that certificate and no other.
 */
export interface CameraUpdate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | undefined;
  siteId?: string | undefined;
  enabled?: boolean | undefined;
  /** rtsp:// or rtsps://; user and password in it are split out and never shown again */
  rtspUrl?: string | undefined;
  rtspUsername?: string | null | undefined;
  rtspPassword?: string | null | undefined;
  /** name or IP address */
  host?: string | undefined;
  port?: number | undefined;
  onvifUsername?: string | undefined;
  onvifPassword?: string | undefined;
  streamTransport?: 'tcp' | 'udp' | 'auto' | undefined;
  /** SHA-256 of a certificate (DER), in hexadecimal */
  tlsFingerprint?: string | null | undefined;
  recordingStream?: 'main' | 'sub' | undefined;
  detectionStream?: 'main' | 'sub' | undefined;
  recordingMode?: 'off' | 'continuous' | 'events' | undefined;
  /** When to record continuously, on the site's clock; null: always */
  recordingSchedule?: ScheduleWindow[] | null | undefined;
  /** How long footage is kept on the gateway */
  retentionDays?: number | undefined;
  /** The most that this camera's footage may take on the gateway; null: only the disk's own limit */
  retentionBytes?: number | null | undefined;
}

export interface ChangePasswordRequest {
  currentPassword: string;
  newPassword: string;
}

/** The connection check's outcome. `reason`, `message` and `hint` are those of the first failed stage. */
export interface CheckReport {
  ok: boolean;
  reason?: string | null;
  message?: string | null;
  hint?: string | null;
  /** Default: 0. */
  elapsedMs?: number;
  stages?: CheckStage[];
  warnings?: CheckWarning[];
  facts?: Record<string, unknown>;
}

/** One step of the connection check. `detail` is a sentence on what was seen. */
export interface CheckStage {
  name: string;
  /** Default: true. */
  ok?: boolean;
  /** Default: 0. */
  ms?: number;
  reason?: string | null;
  detail?: string | null;
}

export interface CheckStages {
  stages: CheckStage[];
  next: number;
  ended: boolean;
}

/** Works, but will disappoint. `code` is stable. */
export interface CheckWarning {
  code: string;
  message?: string;
}

/**
 * A stretch of recording that belongs to an event. `url` is there as soon as there is something to play, which a
 * `failed` clip may have, too: what was recorded before it broke off.
 */
export interface Clip {
  id: string;
  status: 'recording' | 'uploading' | 'ready' | 'failed';
  url: string | null;
  durationSec: number | null;
  /** Seconds within it of which there is no picture: the connection broke and came back, or packets were lost. */
  gapSec: number | null;
  sizeBytes: number | null;
  sha256: string | null;
  codec: string | null;
  width: number | null;
  height: number | null;
  hasAudio: boolean | null;
  /** Time of the first frame; before the clip is there: of the order. */
  startedAt: string | null;
  failureReason: string | null;
  failureMessage: string | null;
}

/** A stretch of the past, at most an hour. */
export interface ClipCreate {
  /** An RFC 3339 time with its zone */
  from: string | Date;
  /** An RFC 3339 time with its zone */
  to: string | Date;
  note?: string | null | undefined;
}

/** An event's clip has another status: it is being recorded or uploaded, is ready, or failed with a reason. */
export interface ClipData {
  eventId: string;
  cameraId: string;
  siteId: string;
  clip: Clip;
}

/** An event's clip. */
export interface ClipItem {
  type: 'clip';
  id: string;
  at: string;
  data: ClipData;
}

/** Addresses to ask besides the multicast search of the gateway's own network. */
export interface DiscoverRequest {
  hosts?: string[] | undefined;
  ports?: number[] | undefined;
  /** Default: 4. */
  timeoutSec?: number | undefined;
}

/** The ONVIF cameras that answered. */
export interface Discovered {
  devices: DiscoveredDevice[];
}

export interface DiscoveredDevice {
  host: string;
  port: number;
  xaddrs?: string[];
  endpointReference?: string | null;
  name?: string | null;
  manufacturer?: string | null;
  model?: string | null;
  scopes?: string[];
}

/** `token_expired`: refresh it. `revoked`: the user, key, session or role is no more. `shutting_down`: connect again soon. */
export interface EndData {
  reason: 'revoked' | 'shutting_down' | 'token_expired';
}

/** The last item. */
export interface EndItem {
  type: 'end';
  id: null;
  at: string;
  data: EndData;
}

/** Something noticed or asked for. `siteId` is where the camera was then. */
export interface Event {
  id: string;
  cameraId: string;
  cameraName: string;
  cameraDeleted: boolean;
  siteId: string;
  triggerType: 'motion' | 'ai_tag' | 'manual';
  triggeredAt: string;
  summary: string | null;
  tags: string[];
  aiStatus: 'pending' | 'completed' | 'skipped' | 'failed';
  acknowledged: boolean;
  starred: boolean;
  snapshotUrl: string | null;
}

/** An event happened, was changed (acknowledged, starred, noted, got its picture) or deleted: then `event` is null. */
export interface EventData {
  change: 'created' | 'deleted' | 'updated';
  eventId: string;
  cameraId: string;
  siteId: string;
  event: Event | null;
}

/** `prevId` and `nextId` are its neighbours in the list, newest first: the newer and the older one. */
export interface EventDetail {
  id: string;
  cameraId: string;
  cameraName: string;
  cameraDeleted: boolean;
  siteId: string;
  triggerType: 'motion' | 'ai_tag' | 'manual';
  triggeredAt: string;
  summary: string | null;
  tags: string[];
  aiStatus: 'pending' | 'completed' | 'skipped' | 'failed';
  acknowledged: boolean;
  starred: boolean;
  snapshotUrl: string | null;
  narrative: string | null;
  note: string | null;
  triggeredBy: string | null;
  acknowledgedAt: string | null;
  clip: Clip | null;
  prevId: string | null;
  nextId: string | null;
  createdAt: string;
  updatedAt: string;
}

/** An event. */
export interface EventItem {
  type: 'event';
  id: string;
  at: string;
  data: EventData;
}

export interface EventUpdate {
  acknowledged?: boolean | undefined;
  starred?: boolean | undefined;
  note?: string | null | undefined;
}

/** `progress` from 0 to 1. `statusReason` of a pending one says what it waits for. */
export interface Export {
  id: string;
  cameraIds: string[];
  from: string;
  to: string;
  caseReference: string | null;
  note: string | null;
  createdBy: string;
  status: 'pending' | 'collecting' | 'ready' | 'failed';
  statusReason: string | null;
  statusMessage: string | null;
  progress: number;
  gaps: Gap[];
  fileName: string | null;
  sizeBytes: number | null;
  sha256: string | null;
  keyFingerprint: string | null;
  url: string | null;
  createdAt: string;
  readyAt: string | null;
}

/** One of `cameraId` and `cameraIds`; several cameras give a ZIP. */
export interface ExportCreate {
  from: string | Date;
  to: string | Date;
  cameraId?: string | null | undefined;
  cameraIds?: string[] | null | undefined;
  caseReference?: string | null | undefined;
  note?: string | null | undefined;
}

/** A stretch without footage, and why. */
export interface FootageGap {
  start: string;
  end: string;
  durationSec: number;
  reason: 'camera_offline' | 'frozen' | 'network' | 'disk_full' | 'gateway_restart' | 'auth' | 'disabled' | 'schedule' | 'retention' | 'no_event' | 'storage_lost' | 'unknown' | 'gateway_offline' | 'not_reported_yet' | 'no_camera';
}

/**
 * A stretch of a span in which pictures are missing: packets were lost on their way from the camera.
 *
 * `lossySec`: seconds of it without a picture, each time for at most half a second (longer is a gap, of reason `network`). A
 * stretch is as long as the files that lack some, about 10 s; of one that `from` or `to` cuts it is the share.
 */
export interface FootageLoss {
  start: string;
  end: string;
  durationSec: number;
  lossySec: number;
}

/** A stretch with footage. `sizeBytes` of a stretch that `from` or `to` cuts is its share. */
export interface FootageSpan {
  start: string;
  end: string;
  durationSec: number;
  sizeBytes: number;
  stream: 'main' | 'sub';
  codec: string | null;
  width: number | null;
  height: number | null;
  hasAudio: boolean;
}

export interface ForgotPasswordRequest {
  /** An email address, compared without case */
  email: string;
}

/** A stretch without footage. */
export interface Gap {
  cameraId: string;
  start: string;
  end: string;
  reason: string;
}

/** A box on a site. `version` is its software's; the ETag counts edits and life signs. */
export interface Gateway {
  id: string;
  name: string;
  siteId: string;
  status: 'registered' | 'online' | 'offline';
  statusAt: string;
  version: string | null;
  localIp: string | null;
  lastHeartbeatAt: string | null;
  pairedAt: string | null;
  hardware: Record<string, unknown>;
  createdAt: string;
  updatedAt: string;
  /** By its newest heartbeat, as the next two; null: it has told none. */
  storageState: 'ok' | 'slow' | 'making_room' | 'retention_held' | 'recording_stopped' | 'lost' | null;
  /** Cameras of which footage is being written. */
  recordingCameras: number | null;
  recordingsBytes: number | null;
  /** What the state means and what to do; null where all is well. */
  storageMessage?: string | null;
}

/** A gateway was made, renamed, paired (`updated`), or deleted: then `name` is null. */
export interface GatewayData {
  change: 'created' | 'deleted' | 'updated';
  gatewayId: string;
  siteId: string;
  name: string | null;
}

/** What people do to gateways. */
export interface GatewayItem {
  type: 'gateway';
  id: string;
  at: string;
  data: GatewayData;
}

/** A gateway came or went. `since` is when it got into this state. Heartbeats are not told. */
export interface GatewayStatusData {
  gatewayId: string;
  siteId: string;
  status: 'offline' | 'online' | 'registered';
  since: string;
}

/** What a gateway does. */
export interface GatewayStatusItem {
  type: 'gateway_status';
  id: string;
  at: string;
  data: GatewayStatusData;
}

export interface GatewayUpdate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | undefined;
}

/** Which cameras stand where on a wall, as the caller sees it: a camera that was deleted, or that it may not see, is null. */
export interface Grid {
  id: string;
  name: string;
  columns: number;
  cameras: (string | null)[];
  /** Everyone of the organization may read it; only who made it, and admins, may change it. */
  isShared: boolean;
  /** The caller made it. */
  isMine: boolean;
  version: number;
  createdAt: string;
  updatedAt: string;
}

export interface GridCreate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name: string;
  /** Of places; there are as many rows. */
  columns: number;
  /** One for each place, columns × columns in all, row by row; null is an empty place. No camera twice. */
  cameras: (string | null)[];
  /** Operators and above may share. Default: false. */
  isShared?: boolean | undefined;
}

/** `columns` and `cameras` have to fit each other, also where only one of them is given. */
export interface GridUpdate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | undefined;
  /** Of places; there are as many rows. */
  columns?: number | undefined;
  /** One for each place, columns × columns in all, row by row; null is an empty place. No camera twice. */
  cameras?: (string | null)[] | undefined;
  /** Operators and above may share. */
  isShared?: boolean | undefined;
}

/** What a box says of itself when it pairs and at each hello. Newer boxes may say more, which is dropped. */
export interface HardwareFacts {
  hostname?: string | undefined;
  os?: string | undefined;
  arch?: string | undefined;
  /** Default: 0. */
  cpuCount?: number | undefined;
  /** Default: 0. */
  memoryBytes?: number | undefined;
  /** Default: 0. */
  diskBytes?: number | undefined;
  localIp?: string | null | undefined;
  hardwareId?: string | null | undefined;
}

/** `pingSec`: a stream that is silent for much longer is broken. `keptHours`: how long one may be away and miss nothing. */
export interface HelloData {
  pingSec: number;
  keptHours: number;
}

/** The first item. What is read after it and what is told after it leave no gap between them. */
export interface HelloItem {
  type: 'hello';
  id: string;
  at: string;
  data: HelloData;
}

/** Ways to watch, best first. `message` says why where there is none. `token` opens this camera and nothing else. */
export interface Live {
  protocols: LiveProtocol[];
  excluded: LiveExcluded[];
  token: string;
  expiresAt: string;
  message?: string | null;
}

/**
 * A way that is not offered. `reason` is stable: no_go2rtc, gateway_offline, codec, rights_not_enforceable,
 * not_supported.
 */
export interface LiveExcluded {
  type: 'webrtc' | 'mse' | 'hls';
  reason: string;
  message: string;
}

/** One way to watch. `codec` is null where the stream has not been seen yet; `reason` says why it is at this place. */
export interface LiveProtocol {
  type: 'webrtc' | 'mse' | 'hls';
  url: string;
  tier: 'main' | 'sub';
  codec: string | null;
  reason: string;
}

export interface LoggedInUser {
  id: string;
  email: string;
  displayName: string;
  role: 'owner' | 'admin' | 'operator' | 'viewer';
  orgId: string;
  /** True: only /auth/me, /auth/change-password and /auth/logout are open until it is done. */
  mustChangePassword: boolean;
}

export interface LoginAnswer {
  /** JWT for `Authorization: Bearer`, 15 minutes. */
  accessToken: string;
  expiresAt: string;
  user: LoggedInUser;
  /** Not for `clientType=web`, which gets it as an HttpOnly cookie. */
  refreshToken?: string;
}

export interface LoginRequest {
  /** An email address, compared without case */
  email: string;
  password: string;
  /** Default: false. */
  rememberMe?: boolean | undefined;
  /** Default: "web". */
  clientType?: 'web' | 'mobile' | 'api' | undefined;
  /** Which org, for people whose email and password serve in several. Without it: the one used last. */
  orgId?: string | null | undefined;
}

export interface Me {
  kind: 'user' | 'service_account';
  id: string;
  /** null for a service account */
  email: string | null;
  displayName: string;
  role: 'owner' | 'admin' | 'operator' | 'viewer';
  orgId: string;
  orgName: string;
  /** null: all sites of the org */
  siteIds: string[] | null;
  mustChangePassword: boolean;
}

/**
 * Where its gateway found a missing camera. Known by what it says of itself only: nothing has logged in there yet,
 * unless `reason` says why the check there failed.
 */
export interface MovedTo {
  host: string;
  port: number;
  foundAt: string;
  matchedBy: 'endpoint_reference' | 'mac';
  reason?: string | null;
  message?: string | null;
}

/** The owner wants this admin to be the owner. */
export interface Nomination {
  userId: string;
  email: string;
  displayName: string;
  createdAt: string;
  expiresAt: string;
}

export interface NominationCreate {
  userId: string;
}

/** The caller's organization. */
export interface Org {
  id: string;
  name: string;
  /** Its API keys begin with sk_test_. */
  sandbox: boolean;
  /** What happens when a gateway finds a missing camera at another address: `offer` it to people, or `apply` it. */
  movedCameras: 'offer' | 'apply';
  version: number;
  createdAt: string;
  updatedAt: string;
}

export interface OrgUpdate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | undefined;
  movedCameras?: 'offer' | 'apply' | undefined;
}

export interface PairRequest {
  pairingCode: string;
  version?: string | undefined;
  hardware?: HardwareFacts | undefined;
}

/** The gateway's identity. The token is shown this once. */
export interface Paired {
  gatewayId: string;
  gatewayToken: string;
  orgId: string;
  siteId: string;
  name: string;
}

/** `id` is the gateway's. The code is shown this once. */
export interface PairingCode {
  id: string;
  pairingCode: string;
  expiresAt: string;
  status: 'registered' | 'online' | 'offline';
}

/** A new gateway, or with `gatewayId` the next hardware of one that exists: it takes over that record. */
export interface PairingCodeCreate {
  siteId: string;
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | null | undefined;
  gatewayId?: string | null | undefined;
}

export interface PasswordReset {
  /** For POST /auth/reset-password, once. Shown only here. */
  resetToken: string;
  expiresAt: string;
}

/** Nothing. */
export interface PingData {
}

/** By WebSocket only; among server-sent events it is a comment with an id. */
export interface PingItem {
  type: 'ping';
  id: string;
  at: string;
  data: PingData;
}

/** One media profile of an ONVIF camera. `bitRate` in bits per second. */
export interface Profile {
  token: string;
  name?: string | null;
  codec?: string | null;
  width?: number | null;
  height?: number | null;
  fps?: number | null;
  bitRate?: number | null;
  tier?: 'main' | 'sub' | null;
  rtspUrl?: string | null;
}

/**
 * One camera's footage in a range: spans and gaps together are all of it, each moment once. `losses`: where the spans lack pictures.
 *
 * `asOf`: the gateway has told up to here. `percentCovered` is of the range without its `not_reported_yet` and `no_camera`.
 * `nextFrom`: the range was too much for one answer; ask again from here. Else null.
 */
export interface Recordings {
  cameraId: string;
  from: string;
  to: string;
  stream: 'main' | 'sub';
  spans: FootageSpan[];
  gaps: FootageGap[];
  losses: FootageLoss[];
  percentCovered: number;
  asOf: string | null;
  nextFrom: string | null;
}

export interface RefreshRequest {
  /** Of `mobile` and `api` sessions; a web page sends its cookie instead. */
  refreshToken?: string | null | undefined;
}

/** Read your lists anew: the id that you gave is too old, what came after it can't be told any more. */
export interface ResetData {
  reason: 'too_old';
}

/** Comes after `hello`, where something is lost. */
export interface ResetItem {
  type: 'reset';
  id: string;
  at: string;
  data: ResetData;
}

export interface ResetPasswordRequest {
  token: string;
  newPassword: string;
}

/** A stretch of the week to record in, on the site's clock. `end` before or at `start` runs into the next day. */
export interface ScheduleWindow {
  days: ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
  /** Default: "00:00". */
  start?: string | undefined;
  /** Default: "24:00". */
  end?: string | undefined;
}

/** A program that calls the API. Its role is fixed. */
export interface ServiceAccount {
  id: string;
  name: string;
  role: 'admin' | 'operator' | 'viewer';
  /** Of a viewer: the sites it sees. null: all. */
  siteIds: string[] | null;
  enabled: boolean;
  version: number;
  createdAt: string;
  updatedAt: string;
}

export interface ServiceAccountCreate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name: string;
  role: 'admin' | 'operator' | 'viewer';
  /** Required for viewers. */
  siteIds?: string[] | null | undefined;
}

export interface ServiceAccountUpdate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | undefined;
  enabled?: boolean | undefined;
  /** The whole list; viewers only. */
  siteIds?: string[] | undefined;
}

/** A place where a user is logged in. */
export interface Session {
  id: string;
  clientType: 'web' | 'mobile' | 'api';
  rememberMe: boolean;
  userAgent: string | null;
  ip: string | null;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
}

/** A link to one event. `viewCount` counts openings of the page or of what it is made of. */
export interface Share {
  id: string;
  eventId: string;
  createdBy: string;
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
  viewCount: number;
  lastViewedAt: string | null;
}

export interface ShareCreate {
  /** How long the link works. Default: "24h". */
  expiresIn?: '1h' | '24h' | '7d' | '30d' | undefined;
}

/** `url` is shown this once. */
export interface ShareCreated {
  id: string;
  eventId: string;
  url: string;
  createdAt: string;
  expiresAt: string;
}

/**
 * The public half of the key that the organization's exports are signed with (Ed25519). `fingerprint`: SHA-256 of the
 * 32 bytes, what `novavms-verify --fingerprint` wants.
 */
export interface SigningKey {
  algorithm: 'Ed25519';
  /** Base64 of the 32 bytes. */
  publicKey: string;
  fingerprint: string;
  createdAt: string;
}

/** A place. */
export interface Site {
  id: string;
  name: string;
  timezone: string;
  address: string | null;
  version: number;
  createdAt: string;
  updatedAt: string;
}

export interface SiteCreate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name: string;
  /** IANA name Default: "UTC". */
  timezone?: string | undefined;
  address?: string | null | undefined;
}

/** A page of a site's cameras, newest first, each with how it was recorded in the range. */
export interface SiteRecordings {
  siteId: string;
  from: string;
  to: string;
  data: CameraSummary[];
  nextCursor: string | null;
  total: number;
}

export interface SiteUpdate {
  /** 1 to 100 characters, not only blanks, no control characters */
  name?: string | undefined;
  /** IANA name */
  timezone?: string | undefined;
  address?: string | null | undefined;
}

export type StreamItem = HelloItem | ResetItem | EndItem | PingItem | CameraStatusItem | CameraItem | GatewayStatusItem | GatewayItem | EventItem | ClipItem;

/** How a gateway was, at one time; thinned to one point a minute. */
export interface TelemetryPoint {
  at: string;
  /** Default: 0. */
  uptimeSec?: number;
  /** Default: 0. */
  cpuPercent?: number;
  /** Default: 0. */
  memoryBytes?: number;
  /** Default: 0. */
  diskFreeBytes?: number;
  /** Default: 0. */
  diskTotalBytes?: number;
  /** Default: 0. */
  camerasOnline?: number;
  /** Default: 0. */
  camerasTotal?: number;
  /** Default: 0. */
  bytesReceived?: number;
  /** Default: 0. */
  reportsWaiting?: number;
  /** Default: 0. */
  clipsWaiting?: number;
  storageState?: string | null;
  /** Default: 0. */
  recordingCameras?: number;
  /** Default: 0. */
  recordingsBytes?: number;
}

/** What to record. All of it may be left out. */
export interface Trigger {
  /** Default: 15. */
  durationSec?: number | undefined;
  note?: string | null | undefined;
}

/** The clip is being recorded; follow it at `GET /events/{eventId}`. */
export interface Triggered {
  eventId: string;
  startedAt: string;
  expectedClipDurationSec: number;
}

/** A person in the org. */
export interface User {
  id: string;
  email: string;
  displayName: string;
  role: 'owner' | 'admin' | 'operator' | 'viewer';
  enabled: boolean;
  mustChangePassword: boolean;
  /** Of a viewer: the sites it sees. null: all. */
  siteIds: string[] | null;
  lastLoginAt: string | null;
  version: number;
  createdAt: string;
  updatedAt: string;
}

export interface UserCreate {
  /** An email address, compared without case */
  email: string;
  /** 1 to 100 characters, not only blanks, no control characters */
  displayName: string;
  role: 'admin' | 'operator' | 'viewer';
  /** Required for viewers. */
  siteIds?: string[] | null | undefined;
}

export interface UserCreated {
  user: User;
  /** False where no mail is configured; then there is a temporary password to hand over. */
  invitationSent: boolean;
  temporaryPassword?: string;
}

export interface UserUpdate {
  /** 1 to 100 characters, not only blanks, no control characters */
  displayName?: string | undefined;
  role?: 'admin' | 'operator' | 'viewer' | undefined;
  enabled?: boolean | undefined;
  /** The whole list. */
  siteIds?: string[] | undefined;
}

/** What `listCameras` can be asked. */
export interface ListCamerasParams {
  /** Only cameras connected this way. */
  connectionMode?: 'gateway' | 'direct' | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Only cameras of this gateway. */
  gatewayId?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
  /** Only cameras with this in their name, upper and lower case alike. */
  q?: string | undefined;
  /** Only cameras on this site. */
  siteId?: string | undefined;
  /** `-` for descending. Default: "-created_at". */
  sort?: 'created_at' | '-created_at' | 'name' | '-name' | undefined;
  /** Only cameras in this state. */
  status?: 'online' | 'offline' | 'pending' | 'error' | 'disabled' | undefined;
  /** Only cameras of this type. */
  type?: 'rtsp' | 'onvif' | undefined;
}

/** What `createCamera` can be asked. */
export interface CreateCameraParams {
  /** Made up by you: the stages can then be followed at `/cameras/checks/{checkId}`. */
  checkId?: string | undefined;
  /** `reject`: 409 where the same stream of the same camera is added already. Default: "warn". */
  onDuplicate?: 'warn' | 'reject' | undefined;
}

/** What `getCheckStages` can be asked. */
export interface GetCheckStagesParams {
  /** How many stages you have seen: `next` of the answer before. Default: 0. */
  after?: number | undefined;
  /** How long to wait for more, in seconds. Default: 0. */
  waitSec?: number | undefined;
}

/** What `testCamera` can be asked. */
export interface TestCameraParams {
  /** Made up by you: the stages can then be followed at `/cameras/checks/{checkId}`. */
  checkId?: string | undefined;
}

/** What `updateCamera` can be asked. */
export interface UpdateCameraParams {
  /** Made up by you: the stages can then be followed at `/cameras/checks/{checkId}`. */
  checkId?: string | undefined;
}

/** What `getCameraSnapshot` can be asked. */
export interface GetCameraSnapshotParams {
  /** Pixels; unset: as recorded. */
  width?: number | undefined;
}

/** What `getCameraPlayback` can be asked. */
export interface GetCameraPlaybackParams {
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone: where to begin. Unset: an hour before `to`. */
  from?: string | Date | undefined;
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone. Unset: an hour after `from`. */
  to?: string | Date | undefined;
}

/** What `getCameraRecordings` can be asked. */
export interface GetCameraRecordingsParams {
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone, from its beginning. Unset: 24 hours before `to`. */
  from?: string | Date | undefined;
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone, to its end. Unset, or ahead of now: now. */
  to?: string | Date | undefined;
}

/** What `getCameraThumbnails` can be asked. */
export interface GetCameraThumbnailsParams {
  /** How many tiles. Default: 10. */
  count?: number | undefined;
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone: where to begin. Unset: an hour before `to`. */
  from?: string | Date | undefined;
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone. Unset: an hour after `from`. */
  to?: string | Date | undefined;
  /** Of one tile, in pixels. Default: 160. */
  width?: number | undefined;
}

/** What `getSiteRecordings` can be asked. */
export interface GetSiteRecordingsParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone, from its beginning. Unset: 24 hours before `to`. */
  from?: string | Date | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone, to its end. Unset, or ahead of now: now. */
  to?: string | Date | undefined;
}

/** What `getCameraLive` can be asked. */
export interface GetCameraLiveParams {
  /** What the viewer can decode, separated by commas: h264, h265. Unset: h264. */
  codecs?: string | undefined;
  /** `sub`: the smaller stream, where the camera has one. Default: "main". */
  tier?: 'main' | 'sub' | undefined;
}

/** What `listGrids` can be asked. */
export interface ListGridsParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
}

/** What `listEvents` can be asked. */
export interface ListEventsParams {
  /** Only seen, or unseen ones. */
  acknowledged?: boolean | undefined;
  /** How far its analysis is. */
  aiStatus?: 'pending' | 'completed' | 'skipped' | 'failed' | undefined;
  /** Only of this camera. */
  cameraId?: string | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** An RFC 3339 time, or a day (YYYY-MM-DD) in the time zone of each event's site. From here on; a day from its beginning. */
  dateFrom?: string | Date | undefined;
  /**
   * An RFC 3339 time, or a day (YYYY-MM-DD) in the time zone of each event's site. Up to, without this time; a day to its end.
   */
  dateTo?: string | Date | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
  /** Part of the note, the summary or the camera's name, in any case. */
  q?: string | undefined;
  /** Only at this site. */
  siteId?: string | undefined;
  /** Only with, or without a star. */
  starred?: boolean | undefined;
  /** Only events with this tag. */
  tag?: string | undefined;
  /** Why it began. */
  triggerType?: 'motion' | 'ai_tag' | 'manual' | undefined;
}

/** What `listEventShares` can be asked. */
export interface ListEventSharesParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
}

/** What `listExports` can be asked. */
export interface ListExportsParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
}

/** What `listSites` can be asked. */
export interface ListSitesParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
}

/** What `listGateways` can be asked. */
export interface ListGatewaysParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
  /** Only gateways on this site. */
  siteId?: string | undefined;
  /** Only gateways in this state. */
  status?: 'registered' | 'online' | 'offline' | undefined;
}

/** What `listGatewayTelemetry` can be asked. */
export interface ListGatewayTelemetryParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
}

/** What `listUsers` can be asked. */
export interface ListUsersParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  enabled?: boolean | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
  role?: 'owner' | 'admin' | 'operator' | 'viewer' | undefined;
}

/** What `listServiceAccounts` can be asked. */
export interface ListServiceAccountsParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
}

/** What `listApiKeys` can be asked. */
export interface ListApiKeysParams {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Rows on a page. Default: 20. */
  limit?: number | undefined;
}
