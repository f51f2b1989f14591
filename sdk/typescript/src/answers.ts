/** Answers that are errors, as errors. @module */
import { toCamel, type Shape } from './casing.js';
import {
  APIError,
  AuthenticationError,
  BadRequestError,
  CameraCheckError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PayloadTooLargeError,
  PermissionDeniedError,
  RateLimitError,
  ResponseError,
  ServiceUnavailableError,
  type ErrorFacts,
  type FieldProblem,
  type NovaVMSError,
} from './errors.js';
import { shapes } from './generated/shapes.js';
import type { CheckReport } from './generated/types.js';

const BY_STATUS: Readonly<Record<number, typeof APIError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  413: PayloadTooLargeError,
  429: RateLimitError,
  503: ServiceUnavailableError,
};

/** The error for a status of 400 or more. `text` is the body. */
export function errorOf(response: Response, text: string): NovaVMSError {
  const { status } = response;
  const body = bodyOf(text);
  if (body === null) return new ResponseError(unreadable(response), status);
  const facts = factsOf(body, response);
  if (status === 400 && facts.reason !== null && facts.check !== null) return new CameraCheckError(status, facts);
  const kind = BY_STATUS[status] ?? (status >= 500 ? InternalServerError : APIError);
  return new kind(status, facts);
}

/** What to say of an answer that is not the API's. Its body is not shown: nobody knows what is in it. */
export function unreadable(response: Response): string {
  const type = response.headers.get('content-type') ?? 'no content type';
  return `the answer (status ${response.status}, ${type}) is not the API's; is something between you and the server?`;
}

/** `Retry-After` in seconds; null where there is none. A date counts from now. */
export function retryAfter(headers: Headers): number | null {
  const said = headers.get('retry-after');
  if (said === null) return null;
  if (/^\d+(\.\d+)?$/.test(said.trim())) return Number(said);
  const date = Date.parse(said);
  return Number.isNaN(date) ? null : Math.max(0, (date - Date.now()) / 1000);
}

function bodyOf(text: string): Record<string, unknown> | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && typeof (body as Record<string, unknown>)['error'] === 'string') {
      return body as Record<string, unknown>;
    }
  } catch {
    // not JSON
  }
  return null;
}

function factsOf(body: Record<string, unknown>, response: Response): ErrorFacts {
  const details = body['details'];
  const check = body['check'];
  return {
    code: String(body['error']),
    message: words(body['message']) ?? `status ${response.status}`,
    requestId: words(body['request_id']) ?? response.headers.get('x-request-id'),
    details: Array.isArray(details) ? (details as FieldProblem[]) : [],
    reason: words(body['reason']),
    hint: words(body['hint']),
    check: typeof check === 'object' && check !== null ? (toCamel(check, CHECK) as CheckReport) : null,
    retryAfter: retryAfter(response.headers),
  };
}

const CHECK: Shape | undefined = shapes.CheckReport;

function words(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
