/** Watches the pictures themselves: bytes may come and the picture stand all the same. */
import { STEADY_MS } from './way';

/** So long until the first picture, then this way is none. */
const FIRST_MS = 4_000;
/** So long the picture may stand while there should be others. */
const STALL_MS = 5_000;

export interface Sights {
  /** Each picture that was decoded and shown. */
  onPicture: () => void;
  /** Pictures were due, and none came at all. */
  onNone: () => void;
  onStall: () => void;
}

export class Eye {
  readonly #video: HTMLVideoElement;
  readonly #timer: ReturnType<typeof setInterval>;
  #handle = 0;
  #fedAt = 0;
  #seenAt = 0;

  constructor(video: HTMLVideoElement, { onPicture, onNone, onStall }: Sights) {
    this.#video = video;
    const look = () => {
      this.#seenAt = performance.now();
      onPicture();
      this.#handle = video.requestVideoFrameCallback(look);
    };
    this.#handle = video.requestVideoFrameCallback(look);
    this.#timer = setInterval(() => {
      const now = performance.now();
      // a page that nobody sees shows no pictures
      if (document.hidden || this.#fedAt === 0) this.rest();
      else if (this.#seenAt === 0 && now - this.#fedAt >= FIRST_MS) onNone();
      else if (now - Math.max(this.#seenAt, this.#fedAt) > STALL_MS) onStall();
    }, STEADY_MS / 4);
  }

  /** Something came: from now on pictures are due. */
  fed(): void {
    if (this.#fedAt === 0) this.#fedAt = performance.now();
  }

  /** None are due. */
  rest(): void {
    this.#fedAt = 0;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#video.cancelVideoFrameCallback(this.#handle);
  }
}
