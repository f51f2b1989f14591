/** Server-sent events as text (HTML Living Standard, 9.2.6). @module */

import { ResponseError } from './errors.js';

/** One event of the stream. */
export interface ServerSentEvent {
  /** The last id said; null where none was. */
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** More than this in one line or one event is not ours. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Takes text as it comes, gives events as they are complete. Text after the last blank line is dropped, as the standard wants. */
export class EventParser {
  #rest = '';
  #id: string | null = null;
  #event = '';
  #data: string[] = [];
  #size = 0;
  /** The server's wish for the pause before reconnecting, milliseconds. */
  retry: number | null = null;

  /** The events that this piece completes. Throws ResponseError where one has no end. */
  push(text: string): ServerSentEvent[] {
    this.#rest += text;
    const found: ServerSentEvent[] = [];
    const ends = /\r\n|\n|\r/g;
    let from = 0;
    for (let end = ends.exec(this.#rest); end !== null; end = ends.exec(this.#rest)) {
      // A CR at the very end may be half of a CRLF.
      if (end[0] === '\r' && ends.lastIndex === this.#rest.length) break;
      this.#line(this.#rest.slice(from, end.index), found);
      from = ends.lastIndex;
    }
    this.#rest = this.#rest.slice(from);
    if (this.#rest.length + this.#size > MOST_CHARACTERS) throw new ResponseError('an item of the stream has no end', 200);
    return found;
  }

  #line(line: string, found: ServerSentEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) found.push({ id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') });
      this.#event = '';
      this.#data = [];
      this.#size = 0;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    else if (field === 'data') {
      this.#data.push(value);
      this.#size += value.length;
    }
  }
}
