/** What the API's parts have in common. @module */
import type { Operation } from './operation.js';
import type { RequestOptions } from './options.js';
import { ApiPromise, PagePromise, type PageBody } from './promise.js';
import type { Parameters, Transport } from './transport.js';

/** A group of operations. It shows nothing of the client it belongs to. */
export class Resource {
  readonly #transport: Transport;

  /** Made by the client. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @internal */
  protected get transport(): Transport {
    return this.#transport;
  }

  /** @internal */
  protected call<T>(
    operation: Operation,
    path: readonly string[],
    parameters: Parameters,
    options: RequestOptions | undefined,
  ): ApiPromise<T> {
    return new ApiPromise<T>(this.#transport.call<T>(operation, path, parameters, options));
  }

  /** @internal */
  protected pages<T>(
    operation: Operation,
    path: readonly string[],
    parameters: Parameters,
    options: RequestOptions | undefined,
  ): PagePromise<T> {
    const turn = (cursor: string) =>
      this.#transport.call<PageBody<T>>(operation, path, { ...parameters, cursor }, options);
    return new PagePromise<T>(this.#transport.call<PageBody<T>>(operation, path, parameters, options), turn);
  }
}
