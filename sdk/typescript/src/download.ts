/** Fetching what a signed link leads to, and going on where a connection broke off. @module */
import { APIConnectionError, APITimeoutError, DownloadError, ResponseError, type NovaVMSError } from './errors.js';
import { open, type Sink, type Target } from './files.js';
import type { Transport } from './transport.js';

/** How far a download is. */
export interface Progress {
  readonly receivedBytes: number;
  /** Null where nobody says. */
  readonly totalBytes: number | null;
}

/** Options of a download. */
export interface DownloadOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte until the connection counts as lost. Default: the client's `timeout`. */
  readonly timeout?: number | undefined;
  /** How many connections may fail without a byte in between. Default: the client's. */
  readonly maxRetries?: number | undefined;
}

/** What the server says of the whole file. */
export interface Whole {
  readonly bytes: number | null;
  readonly sha256: string | null;
}

/** How far all connections came, and what the store said at the first one. */
interface State {
  receivedBytes: number;
  totalBytes: number | null;
  etag: string | null;
}

/** Writes what is behind `link()` to the target. A link is asked for anew at each connection, because links run out. */
export async function download(
  transport: Transport,
  link: () => Promise<string>,
  target: Target,
  whole: Whole,
  options: DownloadOptions = {},
): Promise<void> {
  const retries = options.maxRetries ?? transport.maxRetries;
  const state: State = { receivedBytes: 0, totalBytes: whole.bytes, etag: null };
  const first = await link();
  const sink = await open(target);
  try {
    for (let failed = 0, url = first; ; url = await link()) {
      const before = state.receivedBytes;
      const failure = await piece(transport, url, sink, state, options);
      if (failure === null) break;
      failed = state.receivedBytes > before ? 1 : failed + 1;
      if (failed > retries) throw failure;
      await transport.around.pause(transport.backOff(failed - 1, null), options.signal);
    }
    if (whole.sha256 !== null && (sink.sha256() ?? whole.sha256) !== whole.sha256.toLowerCase()) {
      throw new DownloadError('the file is damaged: its SHA-256 is another than the server says');
    }
    await sink.done();
  } catch (error) {
    await sink.failed(error);
    throw error;
  }
}

/** One connection: null where all is there, else why it broke off. Throws what another connection would not mend. */
async function piece(
  transport: Transport,
  url: string,
  sink: Sink,
  state: State,
  options: DownloadOptions,
): Promise<NovaVMSError | null> {
  const { signal } = options;
  signal?.throwIfAborted();
  const patience = options.timeout ?? transport.timeout;
  const ending = new AbortController();
  const stop = () => ending.abort();
  signal?.addEventListener('abort', stop, { once: true });
  let timer = setTimeout(stop, patience);
  /** Network trouble, told from trouble of the target or the progress callback. */
  const net = async <T>(run: Promise<T>): Promise<T> => {
    try {
      return await run;
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      if (ending.signal.aborted) throw new APITimeoutError(`the download stood still for ${patience} ms`);
      throw new APIConnectionError('the download broke off', { cause });
    }
  };
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const response = await net(transport.around.fetch(url, { headers: resumed(state), signal: ending.signal }));
    reader = response.body?.getReader();
    begin(response, state);
    // Not `for await`: not every browser's streams can be iterated.
    for (;;) {
      const piece = reader === undefined ? { done: true as const } : await net(reader.read());
      if (piece.done) break;
      clearTimeout(timer);
      await sink.write(piece.value);
      timer = setTimeout(stop, patience);
      state.receivedBytes += piece.value.byteLength;
      options.onProgress?.({ receivedBytes: state.receivedBytes, totalBytes: state.totalBytes });
    }
    const short = state.totalBytes !== null && state.receivedBytes < state.totalBytes;
    return short ? new APIConnectionError('the download broke off') : tooLong(state);
  } catch (error) {
    if (error instanceof APIConnectionError || (error instanceof ResponseError && PASSING.has(error.status))) return error;
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    await reader?.cancel().catch(() => undefined);
  }
}

/** 403: a link that ran out; the next one is new. */
const PASSING: ReadonlySet<number> = new Set([403, 408, 429, 500, 502, 503, 504]);

function tooLong(state: State): null {
  if (state.totalBytes !== null && state.receivedBytes > state.totalBytes) {
    throw new DownloadError(`the file has ${state.receivedBytes} bytes; the server says ${state.totalBytes}`);
  }
  return null;
}

function resumed(state: State): Record<string, string> {
  if (state.receivedBytes === 0) return {};
  const range = { range: `bytes=${state.receivedBytes}-` };
  return state.etag === null ? range : { ...range, 'if-range': state.etag };
}

/** Checks that the answer begins at the beginning, or goes on where the last one ended. */
function begin(response: Response, state: State): void {
  const { status, headers } = response;
  if (status === 200 && state.receivedBytes === 0) {
    const said = headers.get('content-length');
    if (said !== null && headers.get('content-encoding') === null) state.totalBytes ??= Number(said);
    state.etag = headers.get('etag');
    return;
  }
  if (status >= 400) throw new ResponseError(`the store answered with status ${status}`, status);
  const range = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '');
  if (status === 206 && Number(range?.[1]) === state.receivedBytes) return;
  throw new DownloadError('the store does not go on where the download broke off: the file has changed, perhaps');
}
