/**
 * What can go wrong, as classes. None of them holds a key, a token, a password or what was sent.
 * @module
 */
import type { CameraDetail, CheckReport, Clip, Export } from './generated/types.js';

/** Everything this library throws is one of these, or the reason of your own `AbortSignal`. */
export class NovaVMSError extends Error {
  override name = 'NovaVMSError';
}

/** One bad field of a request. */
export interface FieldProblem {
  /** As the API calls it: `rtsp_url`. */
  readonly field: string;
  readonly message: string;
}

/** What an error answer says, beside its status. */
export interface ErrorFacts {
  readonly code: string;
  readonly message: string;
  readonly requestId: string | null;
  readonly details: readonly FieldProblem[];
  readonly reason: string | null;
  readonly hint: string | null;
  readonly check: CheckReport | null;
  readonly retryAfter: number | null;
}

/** The API refused or failed: an answer with a status of 400 or more. */
export class APIError extends NovaVMSError {
  override name = 'APIError';
  /** The HTTP status. */
  readonly status: number;
  /** Stable: match on this. The answer's `error`. */
  readonly code: string;
  /** Finds the request in the server's log: name it when you ask for help. */
  readonly requestId: string | null;
  /** All bad fields of a `validation_error`. */
  readonly details: readonly FieldProblem[];
  /** Why, as a stable word: the cause of a failed camera check, for one. */
  readonly reason: string | null;
  /** What to do about it. */
  readonly hint: string | null;
  /** The whole report of a failed camera check. */
  readonly check: CheckReport | null;
  /** Seconds until another try makes sense, where the answer said so. */
  readonly retryAfter: number | null;

  constructor(status: number, facts: ErrorFacts) {
    super(facts.message);
    this.status = status;
    this.code = facts.code;
    this.requestId = facts.requestId;
    this.details = facts.details;
    this.reason = facts.reason;
    this.hint = facts.hint;
    this.check = facts.check;
    this.retryAfter = facts.retryAfter;
  }
}

/** 400: something in the request is wrong; `details` has every field. */
export class BadRequestError extends APIError {
  override name = 'BadRequestError';
}

/** 400: the camera was tried, and it does not work. `reason`, `hint` and `check` say why; nothing was changed. */
export class CameraCheckError extends BadRequestError {
  override name = 'CameraCheckError';
  declare readonly reason: string;
  declare readonly check: CheckReport;
}

/** 401: no credential, or one that is not (or no longer) good. */
export class AuthenticationError extends APIError {
  override name = 'AuthenticationError';
}

/** 403: the role or the site grants do not allow it. */
export class PermissionDeniedError extends APIError {
  override name = 'PermissionDeniedError';
}

/** 404: there is no such object in your organization. */
export class NotFoundError extends APIError {
  override name = 'NotFoundError';
}

/** 409: the state of things is another than the request assumes. */
export class ConflictError extends APIError {
  override name = 'ConflictError';
}

/** 413: bodies over 1 MiB are refused. */
export class PayloadTooLargeError extends APIError {
  override name = 'PayloadTooLargeError';
}

/** 429: too many requests; `retryAfter` says when the next one may come. */
export class RateLimitError extends APIError {
  override name = 'RateLimitError';
}

/** 5xx: the server failed. */
export class InternalServerError extends APIError {
  override name = 'InternalServerError';
}

/** 503: the server is there but cannot serve right now. */
export class ServiceUnavailableError extends InternalServerError {
  override name = 'ServiceUnavailableError';
}

/** No answer: the server was not reached, or the connection was lost before the answer's end. */
export class APIConnectionError extends NovaVMSError {
  override name = 'APIConnectionError';
}

/** No answer within `timeout`. */
export class APITimeoutError extends APIConnectionError {
  override name = 'APITimeoutError';
}

/** An answer that cannot be read, as from a proxy in between. */
export class ResponseError extends NovaVMSError {
  override name = 'ResponseError';
  /** The HTTP status; 0 where a browser hides it. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** What was waited for did not happen in time. `last` is what was seen last. */
export class WaitTimeoutError<T = unknown> extends NovaVMSError {
  override name = 'WaitTimeoutError';
  readonly last: T;

  constructor(message: string, last: T) {
    super(message);
    this.last = last;
  }
}

/** The camera went into a state that it does not leave by itself: somebody must look at it. */
export class CameraStateError extends NovaVMSError {
  override name = 'CameraStateError';
  readonly camera: CameraDetail;

  constructor(message: string, camera: CameraDetail) {
    super(message);
    this.camera = camera;
  }
}

/** There is no whole clip and there will be none. `clip.url` is there if a part of it can be played. */
export class ClipFailedError extends NovaVMSError {
  override name = 'ClipFailedError';
  readonly clip: Clip | null;

  constructor(message: string, clip: Clip | null) {
    super(message);
    this.clip = clip;
  }
}

/** The export came to nothing. */
export class ExportFailedError extends NovaVMSError {
  override name = 'ExportFailedError';
  readonly export: Export;

  constructor(message: string, made: Export) {
    super(message);
    this.export = made;
  }
}

/** The file is not what the server says it is, or it could not be had whole. Nothing was left at the path. */
export class DownloadError extends NovaVMSError {
  override name = 'DownloadError';
}

/** The webhook was not sent by NovaVMS with this secret, or too long ago. */
export class WebhookSignatureError extends NovaVMSError {
  override name = 'WebhookSignatureError';
}
