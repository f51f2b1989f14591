/** What methods answer with: promises that can do a little more. @module */
import { ResponseError } from './errors.js';
import type { WithResponse } from './transport.js';

/** A promise of a call's result. `withResponse()` also gives status, headers (the `ETag`, for one) and request id. */
export class ApiPromise<T> implements Promise<T> {
  readonly #answer: Promise<WithResponse<T>>;
  #data: Promise<T> | undefined;

  constructor(answer: Promise<WithResponse<T>>) {
    this.#answer = answer;
  }

  get [Symbol.toStringTag](): string {
    return 'ApiPromise';
  }

  /** The result together with the answer's status, headers and request id. */
  withResponse(): Promise<WithResponse<T>> {
    return this.#answer;
  }

  then<A = T, B = never>(
    done?: ((value: T) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result().then(done, failed);
  }

  catch<B = never>(failed?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#result().catch(failed);
  }

  finally(last?: (() => void) | null): Promise<T> {
    return this.#result().finally(last);
  }

  #result(): Promise<T> {
    this.#data ??= this.#answer.then((answer) => answer.data);
    return this.#data;
  }
}

/** What a list looks like on the wire. */
export interface PageBody<T> {
  readonly data: T[];
  readonly nextCursor: string | null;
  readonly total: number;
}

/** Fetches the page behind a cursor. */
export type Turn<T> = (cursor: string) => Promise<WithResponse<PageBody<T>>>;

/** One page of a list. Iterated, it walks the items of this and all later pages. */
export class Page<T> implements AsyncIterable<T> {
  /** The items of this page. */
  readonly data: T[];
  /** Where the next page begins; null on the last one. */
  readonly nextCursor: string | null;
  /** How many items the filters match, on all pages. */
  readonly total: number;
  readonly #turn: Turn<T>;

  constructor(body: PageBody<T>, turn: Turn<T>) {
    this.data = body.data;
    this.nextCursor = body.nextCursor;
    this.total = body.total;
    this.#turn = turn;
  }

  /** The page after this one; null after the last. */
  async nextPage(): Promise<Page<T> | null> {
    if (this.nextCursor === null) return null;
    const { data } = await this.#turn(this.nextCursor);
    if (data.nextCursor === this.nextCursor) throw new ResponseError('the list does not move on: its cursor came again', 200);
    return new Page(data, this.#turn);
  }

  /** This page and all later ones. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    for (let page: Page<T> | null = this; page !== null; page = await page.nextPage()) yield page;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.data;
  }
}

/** A promise of a list's first page; iterated itself, it walks the items of all pages. */
export class PagePromise<T> extends ApiPromise<Page<T>> implements AsyncIterable<T> {
  constructor(answer: Promise<WithResponse<PageBody<T>>>, turn: Turn<T>) {
    super(answer.then((found) => ({ ...found, data: new Page(found.data, turn) })));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    yield* await this;
  }

  override get [Symbol.toStringTag](): string {
    return 'PagePromise';
  }
}
