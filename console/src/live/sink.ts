/** Fragments into a video element, kept at the newest picture. */

/** How far behind the newest picture the player runs by itself; more is caught up with, much more is skipped. */
const BEHIND_SEC = { aim: 0.35, hurry: 0.9, skip: 3 } as const;
const FASTER = 1.05;
const KEEP_SEC = 30;
const TRIM_TO_SEC = 15;
const EACH_MS = 250;

export class Sink {
  readonly #video: HTMLVideoElement;
  readonly #onFault: () => void;
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  readonly #source = new MediaSource();
  readonly #url: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #buffer: SourceBuffer | null = null;
  #closed = false;

  /** `mime` can be played: see `canPlay`. `onFault` is called once, when the element or the buffer refused something. */
  constructor(video: HTMLVideoElement, mime: string, onFault: () => void) {
    this.#video = video;
    this.#onFault = onFault;
    this.#url = URL.createObjectURL(this.#source);
    this.#source.addEventListener('sourceopen', () => this.#open(mime), { once: true });
    video.addEventListener('error', this.#fail);
    keepLastPicture(video);
    video.src = this.#url;
    this.#timer = setInterval(() => this.#follow(), EACH_MS);
  }

  append(bytes: Uint8Array<ArrayBuffer>): void {
    this.#waiting.push(bytes);
    this.#feed();
  }

  /** Seconds between the picture that is shown and the newest that is here; null before the first. */
  get behindSec(): number | null {
    const end = this.#end();
    return end === null ? null : Math.max(0, end - this.#video.currentTime);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#video.removeEventListener('error', this.#fail);
    this.#video.playbackRate = 1;
    keepLastPicture(this.#video);
    this.#video.removeAttribute('src');
    this.#video.load();
    URL.revokeObjectURL(this.#url);
  }

  #fail = (): void => {
    if (this.#closed) return;
    this.close();
    this.#onFault();
  };

  #open(mime: string): void {
    if (this.#closed) return;
    try {
      this.#buffer = this.#source.addSourceBuffer(mime);
    } catch {
      this.#fail();
      return;
    }
    this.#buffer.addEventListener('updateend', () => {
      this.#follow();
      this.#feed();
    });
    this.#buffer.addEventListener('error', this.#fail);
    this.#feed();
  }

  #feed(): void {
    const buffer = this.#buffer;
    const next = this.#waiting[0];
    if (this.#closed || buffer === null || buffer.updating || next === undefined) return;
    try {
      buffer.appendBuffer(next);
      this.#waiting.shift();
    } catch (error) {
      if ((error as DOMException).name === 'QuotaExceededError' && this.#trim(1)) return;
      this.#fail();
    }
  }

  /** Drops what lies more than `keepSec` behind. Whether there was something. */
  #trim(keepSec: number): boolean {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating || buffer.buffered.length === 0) return false;
    const until = this.#video.currentTime - keepSec;
    if (until <= buffer.buffered.start(0)) return false;
    buffer.remove(0, until);
    return true;
  }

  #end(): number | null {
    const ranges = this.#buffer?.buffered;
    return ranges === undefined || ranges.length === 0 ? null : ranges.end(ranges.length - 1);
  }

  /** To the newest picture: a little faster, or at once where that would take too long, or where a hole lies between. */
  #follow(): void {
    const ranges = this.#closed ? undefined : this.#buffer?.buffered;
    if (ranges === undefined || ranges.length === 0) return;
    const video = this.#video;
    const [begin, end] = [ranges.start(ranges.length - 1), ranges.end(ranges.length - 1)];
    const behind = end - video.currentTime;
    if (video.currentTime < begin || behind < 0 || behind > BEHIND_SEC.skip) {
      video.currentTime = Math.max(begin, end - BEHIND_SEC.aim);
    }
    const rate = behind > BEHIND_SEC.hurry ? FASTER : behind < BEHIND_SEC.aim ? 1 : video.playbackRate;
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (video.paused) void video.play().catch(() => undefined);
    if (video.currentTime - ranges.start(0) > KEEP_SEC) this.#trim(TRIM_TO_SEC);
  }
}

export function canPlay(mime: string): boolean {
  return typeof MediaSource === 'function' && MediaSource.isTypeSupported(mime);
}

/** What to tell the server that we can decode. */
export function decodable(): ('h264' | 'h265')[] {
  const h265 = ['hvc1.1.6.L120.90', 'hev1.1.6.L120.90'].some((codec) => canPlay(`video/mp4; codecs="${codec}"`));
  return h265 ? ['h264', 'h265'] : ['h264'];
}

/** The last picture stays while the element has no other: a new tier, a new connection. */
export function keepLastPicture(video: HTMLVideoElement): void {
  if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
  const canvas = document.createElement('canvas');
  canvas.width = Math.min(960, video.videoWidth);
  canvas.height = Math.round((canvas.width / video.videoWidth) * video.videoHeight);
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  video.poster = canvas.toDataURL('image/jpeg', 0.7);
}
