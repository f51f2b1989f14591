/** Low-latency HLS, for where neither a WebSocket nor WebRTC gets through. hls.js comes with its first use. */
import { t } from '../text';
import { keepLastPicture } from './sink';
import { down, STEADY_MS, type Outcome, type Play } from './way';

/** A picture comes within this, or this way is none. Longer than of the others: three parts have to be there first, and only a picture
 * each second comes after it. */
const PATIENCE_MS = 15_000;

export const byHls: Play = async ({ video, ways, signal, tell }) => {
  const offered = ways.protocols.find(({ type }) => type === 'hls');
  if (offered === undefined) return down(t.live.why.noHls);
  const { default: Hls } = await import('hls.js/light');
  if (!Hls.isSupported()) return down(t.live.why.noMediaSource, 'browser');
  if (signal.aborted) return { kind: 'stopped' };
  tell({ tier: offered.tier, tierReason: null, hasAudio: false });
  const hls = new Hls({ enableWorker: false, lowLatencyMode: true, maxBufferLength: 10, backBufferLength: 10, maxLiveSyncPlaybackRate: 1.1 });
  let played = false;
  let late: ReturnType<typeof setTimeout> | undefined;
  const timer = setInterval(() => {
    played ||= video.currentTime > 0 && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    const hasAudio = hls.levels.some(({ audioCodec }) => audioCodec !== undefined);
    if (played) tell({ phase: 'playing', message: null, hasAudio, behindSec: Number.isFinite(hls.latency) && hls.latency > 0 ? hls.latency : null });
    if (video.paused) void video.play().catch(() => undefined);
  }, STEADY_MS);
  try {
    return await new Promise<Outcome>((resolve) => {
      const end = () => resolve(signal.aborted ? { kind: 'stopped' } : played ? { kind: 'again' } : down(t.live.why.noPicture(t.live.way.hls)));
      signal.addEventListener('abort', end, { once: true });
      late = setTimeout(() => !played && end(), PATIENCE_MS);
      hls.on(Hls.Events.ERROR, (_, told) => {
        if (told.fatal) end();
      });
      hls.loadSource(new URL(offered.url, location.origin).pathname);
      hls.attachMedia(video);
    });
  } finally {
    clearInterval(timer);
    clearTimeout(late);
    keepLastPicture(video);
    hls.destroy();
  }
};
