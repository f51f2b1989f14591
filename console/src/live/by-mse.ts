/** Over a WebSocket into MediaSource: every picture, the last group of pictures at once. */
import { APIConnectionError, type LiveInit } from '@novavms/sdk';
import { client } from '../api/client';
import { sentenceOf } from '../design/surfaces';
import { t } from '../text';
import { Eye } from './eye';
import { canPlay, decodable, Sink } from './sink';
import { down, passes, STEADY_MS, type Outcome, type Play } from './way';

/** A WebSocket is open within this, or none gets through. What comes by it may take longer: the camera's stream is opened first. */
const OPEN_MS = 4_000;

export const byMse: Play = async ({ cameraId, video, tier, ways, signal, tell, onTier }) => {
  if (typeof MediaSource !== 'function') return down(t.live.why.noMediaSource, 'browser');
  const watch = client.cameras.watchLive(cameraId, { tier, codecs: decodable() }, { ways });
  onTier((wanted) => watch.setTier(wanted));
  let outcome: Outcome = { kind: 'again' };
  const leave = (found: Outcome) => {
    outcome = found;
    watch.close();
  };
  const stop = () => leave({ kind: 'stopped' });
  signal.addEventListener('abort', stop);
  let sink: Sink | null = null;
  let playing = false;
  const now = () => (sink as Sink | null)?.behindSec ?? null;
  const eye = new Eye(video, {
    onPicture: () => {
      if (playing || sink === null) return;
      playing = true;
      tell({ phase: 'playing', message: null, behindSec: now() });
    },
    onNone: () => leave(down(t.live.why.noPicture(t.live.way.mse))),
    onStall: () => leave({ kind: 'stalled' }),
  });
  const begin = (init: LiveInit) => {
    sink?.close();
    sink = null;
    if (!canPlay(init.mime)) {
      leave(down(t.live.why.cannotPlay(init.mime)));
      return;
    }
    sink = new Sink(video, init.mime, () => leave({ kind: 'stalled' }));
    tell({ tier: init.tier, tierReason: init.tierReason, hasAudio: init.hasAudio });
  };
  const steady = setInterval(() => playing && tell({ behindSec: now() }), STEADY_MS);
  let heard = false;
  const opening = setTimeout(() => !heard && !watch.isOpen && leave(down(t.live.why.noSocket, 'network')), OPEN_MS);
  try {
    for await (const item of watch) {
      if (item.kind === 'init') begin(item);
      else if (item.kind === 'data') {
        (sink as Sink | null)?.append(item.bytes);
        eye.fed();
      } else if (item.kind === 'waiting') {
        eye.rest();
        playing = false;
        // by a socket that opened and said nothing, nothing gets through either
        if (item.reason === 'connection_lost' && !heard) leave(down(t.live.why.noSocket, 'network'));
        else tell({ phase: 'waiting', message: item.reason === 'connection_lost' ? t.live.connectionLost : item.message, behindSec: null });
      } else {
        leave(item.reason === 'no_mse' ? down(item.message) : { kind: 'over', message: item.message });
      }
      heard = true;
    }
  } catch (error) {
    if (error instanceof APIConnectionError) leave(down(t.live.why.noSocket, 'network'));
    else if (!passes(error)) leave({ kind: 'over', message: sentenceOf(error) });
    else tell({ phase: 'waiting', message: sentenceOf(error), behindSec: null });
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(opening);
    clearInterval(steady);
    eye.close();
    (sink as Sink | null)?.close();
  }
  return outcome;
};
