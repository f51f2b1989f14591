/** A real HTTP server of the tests' own: each request is answered by the next line of a script. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { buildClient, type NovaVMS } from '../dist/esm/client.js';
import type { ClientOptions } from '../dist/esm/index.js';
import { surroundings, type Surroundings } from '../dist/esm/options.js';

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (response: ServerResponse, seen: Seen) => void | Promise<void>;

/** The server. `script` is what it does, one entry a request; the last one serves all that follow. */
export class Script implements AsyncDisposable {
  readonly seen: Seen[] = [];
  baseUrl = '';
  #script: Answer[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(...script: Answer[]): Promise<Script> {
    const made = new Script();
    made.#script = script;
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    made.baseUrl = `http://127.0.0.1:${(made.#server.address() as AddressInfo).port}`;
    return made;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const seen: Seen = { method, url, headers, body };
    this.seen.push(seen);
    const answer = this.#script[Math.min(this.seen.length, this.#script.length) - 1];
    await answer?.(response, seen);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** What a client waited for, instead of waiting. */
export interface Pauses {
  readonly waited: number[];
  readonly around: Surroundings;
}

/** The real surroundings, but pauses end at once (an aborted one throws), and chance is always 1. */
export function hurried(fetch?: ClientOptions['fetch']): Pauses {
  const waited: number[] = [];
  const around: Surroundings = {
    ...surroundings(fetch),
    pause: async (milliseconds, signal) => {
      waited.push(milliseconds);
      signal?.throwIfAborted();
    },
    random: () => 1,
  };
  return { waited, around };
}

/** A client of the script that does not wait. */
export function clientOf(script: Script, options: ClientOptions = {}, pauses: Pauses = hurried(options.fetch)): NovaVMS {
  const login = options.accessToken !== undefined || options.refreshToken !== undefined;
  const credential = login ? {} : { apiKey: 'sk_test_secret-of-the-tests' };
  return buildClient({ baseUrl: script.baseUrl, ...credential, ...options }, pauses.around);
}

/** An answer in JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers });
    response.end(status === 204 ? undefined : JSON.stringify(body));
  };
}

/** An error in the API's shape. */
export function error(status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Answer {
  return json(status, { error: code, message: `it said ${code}`, request_id: 'req_9', ...more }, headers);
}

/** The connection is lost before an answer. */
export const hangUp: Answer = (response) => {
  response.socket?.destroy();
};

/** The answer promises more bytes than come. */
export function cut(body: string, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length + 10, ...headers });
    response.write(body, () => response.socket?.destroy());
  };
}

/** Never answers. */
export const silence: Answer = () => undefined;
