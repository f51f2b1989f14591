/** A video with what reviewing needs: frame by frame, ten seconds either way, speed, keys. */
import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';
import { IconButton } from '../design/controls';
import { t } from '../text';
import { position as told } from '../text/when';
import { fill } from './fill';
import { FRAME_SEC, useFrameSec } from './frames';
import { Transport, type Speed } from './transport';

interface Playing {
  paused: boolean;
  at: number;
  length: number;
  muted: boolean;
}

function usePlaying(video: RefObject<HTMLVideoElement | null>): Playing {
  const [state, setState] = useState<Playing>({ paused: true, at: 0, length: 0, muted: false });
  useEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    const read = () =>
      setState({
        paused: element.paused,
        at: element.currentTime,
        length: Number.isFinite(element.duration) ? element.duration : 0,
        muted: element.muted,
      });
    const events = ['play', 'pause', 'timeupdate', 'durationchange', 'volumechange', 'seeked', 'ended'];
    for (const name of events) element.addEventListener(name, read);
    read();
    return () => {
      for (const name of events) element.removeEventListener(name, read);
    };
  }, [video]);
  return state;
}

export function Player({
  video,
  src,
  poster,
  autoPlay = false,
  onError,
  scale = true,
  keys = {},
  beyond,
  children,
}: {
  video: RefObject<HTMLVideoElement | null>;
  /** None where somebody else feeds the element (HLS). */
  src?: string | undefined;
  poster?: string | undefined;
  autoPlay?: boolean;
  onError?: () => void;
  /** The slider over the whole video; a timeline may stand in for it. */
  scale?: boolean;
  keys?: Readonly<Record<string, () => void>>;
  /** So many seconds from here, which the video does not have; 0: on from its end. Without it the video's ends are the ends. */
  beyond?: (sec: number) => void;
  children?: ReactNode;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const state = usePlaying(video);
  const frameSec = useFrameSec(video);
  const [speed, setSpeed] = useState<Speed>('1');

  const act = (change: (element: HTMLVideoElement) => void) => () => {
    if (video.current !== null) change(video.current);
  };
  const toggle = act((element) => {
    if (!element.paused) element.pause();
    else if (element.ended && beyond !== undefined) beyond(0);
    else void start(element);
  });
  const go = (element: HTMLVideoElement, sec: number) => {
    const to = element.currentTime + sec;
    if (beyond !== undefined && (to < 0 || to > element.duration)) beyond(sec);
    else element.currentTime = Math.max(0, to);
  };
  const mute = act((element) => void (element.muted = !element.muted));

  useEffect(() => {
    if (video.current === null) return;
    video.current.playbackRate = Number(speed);
    video.current.defaultPlaybackRate = Number(speed);
  }, [speed, video, src]);
  useEffect(() => {
    if (autoPlay && video.current !== null) void start(video.current);
  }, [autoPlay, video, src]);

  return (
    <div className="player" ref={frame}>
      {/* Captions: surveillance video has none. */}
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
      <video ref={video} src={src} poster={poster} playsInline preload="auto" aria-label={t.events.player.video} onClick={toggle} onError={onError} />
      <div className="player-bar">
        {scale && (
          <input
            type="range"
            className="player-scale"
            aria-label={t.events.player.position}
            aria-valuetext={told(state.at)}
            min={0}
            max={state.length || 1}
            step={0.01}
            value={Math.min(state.at, state.length || 1)}
            style={{ '--at': `${(state.at / (state.length || 1)) * 100}%` } as React.CSSProperties}
            onChange={(event) => {
              if (video.current !== null) video.current.currentTime = Number(event.target.value);
            }}
          />
        )}
        <Transport
          paused={state.paused}
          speed={speed}
          onToggle={toggle}
          onJump={(sec) => act((element) => go(element, sec))()}
          onStep={(direction) =>
            act((element) => {
              element.pause();
              go(element, direction * (frameSec.current ?? FRAME_SEC));
            })()
          }
          onSpeed={setSpeed}
          onFill={() => fill(frame.current)}
          keys={{ m: mute, ...keys }}
          told={scale ? t.events.player.of(told(state.at), told(state.length)) : children}
        >
          <IconButton icon={state.muted ? 'mute' : 'sound'} label={state.muted ? t.events.player.unmute : t.events.player.mute} onPress={mute} />
        </Transport>
      </div>
    </div>
  );
}

/** Browsers let a page begin with sound only after a click: then without. */
async function start(element: HTMLVideoElement): Promise<void> {
  try {
    await element.play();
  } catch (error) {
    if ((error as DOMException).name !== 'NotAllowedError') return;
    element.muted = true;
    await element.play().catch(() => undefined);
  }
}
