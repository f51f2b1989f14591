/** Recordings of several cameras side by side, all of the same moment. */
import type { Camera } from '@novavms/sdk';
import { useQueries } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { IconButton } from '../design/controls';
import { Card, ErrorNote } from '../design/surfaces';
import { fill } from '../player/fill';
import { Transport } from '../player/transport';
import { useMay } from '../session/session';
import { t } from '../text';
import { clock, days } from '../text/when';
import { useAddress, type LookingRef, type Start } from './address';
import { Exports } from './exports';
import { follower } from './follower';
import { footage, NEWEST_MS, type Footage } from './footage';
import { Keep, useSelection } from './keep';
import { Moment } from './moment';
import { Rows } from './rows';
import { firstWindow } from './window';
import { useInSight, WindowBar } from './window-bar';

/** The newest moment of which all that have footage have some. */
function newestOf(found: readonly Footage[]): number | null {
  const ends = found.flatMap(({ spans }) => spans.slice(-1).map(({ end }) => Date.parse(end)));
  const starts = found.flatMap(({ spans }) => spans.slice(-1).map(({ start }) => Date.parse(start)));
  return ends.length === 0 ? null : Math.max(Math.min(...ends) - NEWEST_MS, Math.min(Math.max(...starts), Math.min(...ends) - 1_000));
}

function useMoment({ at, still }: Start): Moment {
  const [, render] = useState(0);
  const [moment] = useState(() => new Moment(at, !still, () => render((n) => n + 1)));
  useEffect(() => moment.start(), [moment]);
  return moment;
}

export function Together({
  cameras,
  start,
  looking,
  onRemove,
}: {
  cameras: readonly Camera[];
  start: Start;
  looking: LookingRef;
  onRemove: (camera: Camera) => void;
}) {
  const [window, setWindow] = useState(() => start.window ?? firstWindow(cameras[0]?.createdAt ?? '', start.at));
  const operator = useMay('operator');
  const pictures = useRef<HTMLDivElement>(null);
  const moment = useMoment(start);
  const { at } = moment;
  const selecting = useSelection(at);
  useAddress(looking, () => ({ at: moment.at, still: !moment.playing, window }));
  const answers = useQueries({ queries: cameras.map(({ id }) => footage(id, window)) });
  const error = answers.find(({ isError }) => isError)?.error;
  const known = answers.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const newest = at === null && known.length === cameras.length ? newestOf(known) : null;
  useEffect(() => {
    if (newest !== null) moment.seek(newest);
  }, [newest, moment]);
  useInSight(at, window, setWindow);
  const seek = (to: number) => moment.seek(to);
  return (
    <div className="recordings-page">
      <div className="stack">
        <div ref={pictures} className="together-frame" role="group" aria-label={t.recordings.together}>
          <div className="together">
            {cameras.map((camera, index) => (
              <Tile key={camera.id} camera={camera} footage={answers[index]?.data} moment={moment} onRemove={() => onRemove(camera)} />
            ))}
          </div>
          <div className="player-bar">
            <Transport
              paused={!moment.playing}
              speed={moment.speed}
              onToggle={() => moment.toggle()}
              onJump={(sec) => at !== null && seek(at + sec * 1_000)}
              onStep={(direction) => moment.step(direction)}
              onSpeed={(speed) => moment.hurry(speed)}
              onFill={() => fill(pictures.current)}
              keys={operator ? selecting.keys : {}}
              told={at === null ? t.recordings.pickTime : clock(at)}
            />
          </div>
        </div>
        <WindowBar window={window} at={at} onWindow={setWindow} />
        {error != null && <ErrorNote error={error} />}
        <Rows
          rows={cameras.map((camera, index) => ({ camera, footage: answers[index]?.data }))}
          window={window}
          at={at}
          selection={selecting.selection}
          onSeek={seek}
          onSelect={operator ? selecting.select : undefined}
        />
        <p className="small faint">{`${days(window.from, window.to)} · ${operator ? t.recordings.rowsHint : t.recordings.seekHint} ${t.time.localTime}`}</p>
        <p className="small faint keys-hint">{t.recordings.keys}</p>
      </div>
      {operator && (
        <div className="stack">
          <Card title={t.recordings.selection}>
            <Keep cameras={cameras} selecting={selecting} at={at} />
          </Card>
          <Card title={t.recordings.exports}>
            <Exports />
          </Card>
        </div>
      )}
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
    const mine = follower(camera.id, video.current, () => known.current, setWord);
    const leave = moment.join(mine);
    return () => {
      leave();
      mine.stop();
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
