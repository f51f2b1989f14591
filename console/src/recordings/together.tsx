/** Recordings of several cameras side by side, all of the same moment. */
import type { Camera } from '@novavms/sdk';
import { useQueries } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Button, IconButton } from '../design/controls';
import { ErrorNote } from '../design/surfaces';
import { useKeys } from '../player/keys';
import { t } from '../text';
import { clock, day } from '../text/when';
import { follower } from './follower';
import { footage, type Footage } from './footage';
import { Moment } from './moment';
import { Rows } from './rows';
import { firstShown, lengthOf, WindowBar, windowOf, type Shown } from './window-bar';

const NEWEST_MS = 30_000;

/** The newest moment of which all that have footage have some. */
function newestOf(found: readonly Footage[]): number | null {
  const ends = found.flatMap(({ spans }) => spans.slice(-1).map(({ end }) => Date.parse(end)));
  const starts = found.flatMap(({ spans }) => spans.slice(-1).map(({ start }) => Date.parse(start)));
  return ends.length === 0 ? null : Math.max(Math.min(...ends) - NEWEST_MS, Math.min(Math.max(...starts), Math.min(...ends) - 1_000));
}

function useMoment(start: number | null): Moment {
  const [, render] = useState(0);
  const [moment] = useState(() => new Moment(start, () => render((n) => n + 1)));
  useEffect(() => moment.start(), [moment]);
  return moment;
}

export function Together({ cameras, start, onRemove }: { cameras: readonly Camera[]; start: number | null; onRemove: (camera: Camera) => void }) {
  const [shown, setShown] = useState<Shown>(() => firstShown(cameras[0]?.createdAt ?? ''));
  const [window, setWindow] = useState(() => windowOf(lengthOf(shown), start));
  const moment = useMoment(start);
  const { at } = moment;
  const answers = useQueries({ queries: cameras.map(({ id }) => footage(id, window)) });
  const error = answers.find(({ isError }) => isError)?.error;
  const known = answers.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const newest = at === null && known.length === cameras.length ? newestOf(known) : null;
  useEffect(() => {
    if (newest !== null) moment.seek(newest);
  }, [newest, moment]);
  const left = at !== null && moment.playing && at > window.to;
  useEffect(() => {
    if (left) setWindow(windowOf(lengthOf(shown), at)); // what is played stays in sight
  }, [left]); // oxlint-disable-line react-hooks/exhaustive-deps
  const jump = (sec: number) => () => at !== null && moment.seek(at + sec * 1_000);
  const toggle = () => moment.toggle();
  useKeys({ ' ': toggle, k: toggle, j: jump(-10), l: jump(10) });
  return (
    <div className="stack">
      <div className="together">
        {cameras.map((camera, index) => (
          <Tile key={camera.id} camera={camera} footage={answers[index]?.data} moment={moment} onRemove={() => onRemove(camera)} />
        ))}
      </div>
      <div className="row wrap">
        <IconButton icon={moment.playing ? 'pause' : 'play'} label={moment.playing ? t.events.player.pause : t.events.player.play} onPress={toggle} />
        <Button kind="quiet" small onPress={jump(-10)} aria-label={t.events.player.back10}>
          {t.events.player.minus10}
        </Button>
        <Button kind="quiet" small onPress={jump(10)} aria-label={t.events.player.on10}>
          {t.events.player.plus10}
        </Button>
        <span className="number">{at === null ? t.recordings.pickTime : clock(at)}</span>
      </div>
      <WindowBar shown={shown} window={window} at={at} onShown={setShown} onWindow={setWindow} />
      {error != null && <ErrorNote error={error} />}
      <Rows rows={cameras.map((camera, index) => ({ camera, footage: answers[index]?.data }))} window={window} at={at} onSeek={(to) => moment.seek(to)} />
      <p className="small faint">{`${day(window.from)} · ${t.recordings.rowsHint} ${t.time.localTime}`}</p>
    </div>
  );
}

function Tile({ camera, footage: found, moment, onRemove }: { camera: Camera; footage: Footage | undefined; moment: Moment; onRemove: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const known = useRef(found);
  const [word, setWord] = useState<string | null>(t.recordings.loading);
  useEffect(() => {
    known.current = found;
  });
  useEffect(() => {
    if (video.current === null) return undefined;
    const { follow, stop } = follower(camera.id, video.current, () => known.current, setWord);
    const leave = moment.follow(follow);
    return () => {
      leave();
      stop();
    };
  }, [camera.id, moment]);
  return (
    <section className="together-tile" aria-label={camera.name}>
      <div className="together-head">
        <span className="cut grow">{camera.name}</span>
        <IconButton icon="close" label={t.recordings.takeAway(camera.name)} onPress={onRemove} />
      </div>
      <div className="together-picture">
        {/* Captions: surveillance video has none. No sound: of which one? */}
        {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
        <video ref={video} muted playsInline preload="auto" aria-label={t.events.player.video} />
        {word !== null && (
          <p className="together-word" role="status">
            {word}
          </p>
        )}
      </div>
    </section>
  );
}
