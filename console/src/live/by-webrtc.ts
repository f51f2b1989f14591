/** Over WebRTC: the camera's own packets, by way of go2rtc. */
import { client } from '../api/client';
import { sentenceOf } from '../design/surfaces';
import { t } from '../text';
import { Eye } from './eye';
import { decodable, keepLastPicture } from './sink';
import { down, STEADY_MS, type Outcome, type Play } from './way';

export const byWebRtc: Play = async ({ cameraId, video, tier, ways, signal, tell }) => {
  if (typeof RTCPeerConnection !== 'function') return down(t.live.why.noWebRtc, 'browser');
  const watch = client.cameras.watchWebRtc(cameraId, { tier, codecs: decodable() }, { ways });
  let outcome: Outcome = { kind: 'again' };
  const leave = (found: Outcome) => {
    outcome = found;
    watch.close();
  };
  const stop = () => leave({ kind: 'stopped' });
  signal.addEventListener('abort', stop);
  let connected = false;
  let playing = false;
  const eye = new Eye(video, {
    onPicture: () => {
      if (playing) return;
      playing = true;
      tell({ phase: 'playing', message: null });
    },
    onNone: () => leave(connected ? down(t.live.why.noPicture(t.live.way.webrtc)) : down(t.live.why.noConnection, 'network')),
    onStall: () => leave({ kind: 'stalled' }),
  });
  eye.fed();
  const steady = setInterval(() => {
    // also after a time in which nobody saw the page
    eye.fed();
    if (playing) void watch.latency().then((found) => playing && tell({ behindSec: found === null ? null : found / 1_000 }));
  }, STEADY_MS);
  try {
    for await (const item of watch) {
      if (item.kind === 'stream') {
        keepLastPicture(video);
        video.srcObject = item.stream;
        void video.play().catch(() => undefined);
        tell({ tier: item.tier, tierReason: null, hasAudio: item.hasAudio });
      } else if (item.kind === 'connected') {
        connected = true;
      } else if (item.kind === 'waiting') {
        playing = false;
        tell({ phase: 'waiting', message: t.live.connectionLost, behindSec: null });
      } else if (item.reason !== 'connection_lost') {
        outcome = down(item.message, item.reason === 'connection_failed' ? 'network' : 'camera');
      }
    }
  } catch (error) {
    outcome = down(sentenceOf(error));
  } finally {
    signal.removeEventListener('abort', stop);
    clearInterval(steady);
    eye.close();
    playing = false;
    keepLastPicture(video);
    video.srcObject = null;
  }
  return outcome;
};
