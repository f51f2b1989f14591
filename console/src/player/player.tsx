/** A video with what reviewing needs: frame by frame, ten seconds either way, speed, keys. */
import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';
import { IconButton, Button, Select } from '../design/controls';
import { t } from '../text';
import { position as told } from '../text/when';
import { useKeys } from './keys';
import './player.css';

const SPEEDS = ['0.25', '0.5', '1', '2', '4', '8'] as const;
/** Until the video has shown two frames, and says how far they are apart. */
const FRAME_SEC = 1 / 25;

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

/** How far two frames are apart, as they were shown. */
function useFrameSec(video: RefObject<HTMLVideoElement | null>): RefObject<number> {
  const found = useRef(FRAME_SEC);
  useEffect(() => {
    const element = video.current;
    if (element === null || !('requestVideoFrameCallback' in element)) return undefined;
    let last: number | null = null;
    let handle = 0;
    const look: VideoFrameRequestCallback = (_, { mediaTime }) => {
      const apart = last === null ? 0 : mediaTime - last;
      if (apart > 0.005 && apart < 1 && element.playbackRate <= 1 && !element.paused) found.current = apart;
      last = mediaTime;
      handle = element.requestVideoFrameCallback(look);
    };
    handle = element.requestVideoFrameCallback(look);
    return () => element.cancelVideoFrameCallback(handle);
  }, [video]);
  return found;
}

export function Player({
  video,
  src,
  poster,
  autoPlay = false,
  onError,
  scale = true,
  keys = {},
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
  children?: ReactNode;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const state = usePlaying(video);
  const frameSec = useFrameSec(video);
  const [speed, setSpeed] = useState<(typeof SPEEDS)[number]>('1');

  const act = (change: (element: HTMLVideoElement) => void) => () => {
    if (video.current !== null) change(video.current);
  };
  const toggle = act((element) => void (element.paused ? start(element) : element.pause()));
  const jump = (sec: number) => act((element) => void (element.currentTime = Math.max(0, element.currentTime + sec)));
  const step = (direction: 1 | -1) =>
    act((element) => {
      element.pause();
      element.currentTime = Math.max(0, element.currentTime + direction * (frameSec.current ?? FRAME_SEC));
    });
  const mute = act((element) => void (element.muted = !element.muted));
  const fill = () => {
    const done = document.fullscreenElement === null ? frame.current?.requestFullscreen() : document.exitFullscreen();
    void done?.catch(() => undefined);
  };
  useKeys({ ' ': toggle, k: toggle, j: jump(-10), l: jump(10), ',': step(-1), '.': step(1), m: mute, f: fill, ...keys });

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
        <div className="player-controls">
          <IconButton icon={state.paused ? 'play' : 'pause'} label={state.paused ? t.events.player.play : t.events.player.pause} onPress={toggle} />
          <Button kind="quiet" small onPress={jump(-10)} aria-label={t.events.player.back10}>
            {t.events.player.minus10}
          </Button>
          <IconButton icon="frameBack" label={t.events.player.frameBack} onPress={step(-1)} />
          <IconButton icon="frameOn" label={t.events.player.frameOn} onPress={step(1)} />
          <Button kind="quiet" small onPress={jump(10)} aria-label={t.events.player.on10}>
            {t.events.player.plus10}
          </Button>
          {scale && (
            <span className="number small quiet player-time">
              {t.events.player.of(told(state.at), told(state.length))}
            </span>
          )}
          <span className="grow" />
          <Select
            bare
            label={t.events.player.speed}
            value={speed}
            onChange={setSpeed}
            options={SPEEDS.map((id) => ({ id, label: `${id}×` }))}
          />
          <IconButton icon={state.muted ? 'mute' : 'sound'} label={state.muted ? t.events.player.unmute : t.events.player.mute} onPress={mute} />
          <IconButton icon="screen" label={t.events.player.fullscreen} onPress={fill} />
          {children}
        </div>
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
