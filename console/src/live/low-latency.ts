/** Low-latency HLS, for where no WebSocket gets through. hls.js comes with its first use. */

/** A picture comes within this, or this way is none. */
const PATIENCE_MS = 15_000;

/**
 * Until it ends: `broke` after pictures had come, `failed` before. `onBehind` hears each second how far it is behind the newest part.
 * Safari plays it without help.
 */
export async function playLowLatency(
  video: HTMLVideoElement,
  address: string,
  signal: AbortSignal,
  onBehind: (behindSec: number | null) => void,
): Promise<'broke' | 'failed'> {
  const { default: Hls } = await import('hls.js/light');
  if (signal.aborted || !Hls.isSupported()) return 'failed';
  const hls = new Hls({ enableWorker: false, lowLatencyMode: true, maxBufferLength: 10, backBufferLength: 10, maxLiveSyncPlaybackRate: 1.1 });
  let played = false;
  let late: ReturnType<typeof setTimeout> | undefined;
  const timer = setInterval(() => {
    played ||= video.currentTime > 0 && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    if (played) onBehind(Number.isFinite(hls.latency) && hls.latency > 0 ? hls.latency : null);
    if (video.paused) void video.play().catch(() => undefined);
  }, 1_000);
  try {
    return await new Promise((resolve) => {
      const end = () => resolve(played ? 'broke' : 'failed');
      signal.addEventListener('abort', end, { once: true });
      late = setTimeout(() => !played && end(), PATIENCE_MS);
      hls.on(Hls.Events.ERROR, (_, told) => {
        if (told.fatal) end();
      });
      hls.loadSource(address);
      hls.attachMedia(video);
    });
  } finally {
    clearInterval(timer);
    clearTimeout(late);
    hls.destroy();
  }
}
