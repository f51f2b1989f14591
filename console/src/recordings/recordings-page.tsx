/** Recorded footage of a camera: see where there is some and why where there is none, play it, keep a stretch of it. */
import type { Camera } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { client } from '../api/client';
import { allCameras } from '../api/queries';
import { Button, ButtonLink, Select } from '../design/controls';
import { Card, Empty, ErrorNote, ErrorPanel, Menu, Note, Page, Skeleton } from '../design/surfaces';
import { tell } from '../design/toasts';
import { Player } from '../player/player';
import { useMay } from '../session/session';
import { t } from '../text';
import { clock, days, shortTime } from '../text/when';
import { addressOf, startOf, useAddress, type Looking, type LookingRef, type Start } from './address';
import { Exports } from './exports';
import { footage, iso, NEWEST_MS, playable } from './footage';
import { useHls, type Sought } from './hls';
import { Keep, useSelection } from './keep';
import { Gaps, Timeline } from './timeline';
import { Together } from './together';
import { firstWindow, HOUR_MS, windowOf } from './window';
import { useInSight, WindowBar } from './window-bar';
import './recordings.css';

/** As many as are shown side by side. */
const MOST = 4;
/** So much more there must be for playing to go on at its end; and how often that is looked for. */
const LEAST_MS = 1_000;
const WAIT_MS = 5_000;

export function RecordingsPage() {
  const search = useSearch({ from: '/recordings' });
  const cameras = useQuery(allCameras);
  const operator = useMay('operator');
  const navigate = useNavigate({ from: '/recordings' });
  const looking = useRef<(() => Looking) | null>(null);
  if (cameras.isPending) {
    return (
      <Page title={t.recordings.title}>
        <Skeleton kind="page" count={2} />
      </Page>
    );
  }
  if (cameras.data === undefined) {
    return (
      <Page title={t.recordings.title}>
        <ErrorPanel error={cameras.error} onRetry={() => void cameras.refetch()} />
      </Page>
    );
  }
  const all = cameras.data;
  const asked = [search.camera ?? []].flat();
  const found = asked.flatMap((wanted) => all.find(({ id }) => id === wanted) ?? []).slice(0, MOST);
  const camera = found[0] ?? all[0];
  if (camera === undefined) {
    return (
      <Page title={t.recordings.title}>
        <Empty
          icon="recordings"
          title={t.recordings.empty}
          detail={t.recordings.emptyDetail}
          action={
            operator && (
              <ButtonLink to="/cameras/add" kind="primary" icon="add">
                {t.cameras.add}
              </ButtonLink>
            )
          }
        />
      </Page>
    );
  }
  const chosen = found.length === 0 ? [camera] : found;
  // the next picture is of the same moment
  const choose = (ids: string[]) => {
    const address = looking.current === null ? {} : addressOf(looking.current());
    void navigate({ search: { ...address, camera: ids.length === 1 ? ids[0] : ids }, replace: true, resetScroll: false });
  };
  const ids = chosen.map(({ id }) => id);
  const others = all.filter(({ id }) => !ids.includes(id));
  const start = startOf(search);
  return (
    <Page
      title={t.recordings.title}
      actions={
        <>
          {chosen.length === 1 && (
            <Select
              bare
              label={t.recordings.choose}
              value={camera.id}
              onChange={(id) => choose([id])}
              options={all.map(({ id, name }) => ({ id, label: name }))}
            />
          )}
          {chosen.length < MOST && others.length > 0 && (
            <Menu label={t.recordings.beside} actions={others.map(({ id, name }) => ({ id, label: name, icon: 'camera', act: () => choose([...ids, id]) }))}>
              <Button icon="add">{t.recordings.beside}</Button>
            </Menu>
          )}
        </>
      }
    >
      {chosen.length === 1 ? (
        <Review key={camera.id} camera={camera} start={start} looking={looking} />
      ) : (
        <Together cameras={chosen} start={start} looking={looking} onRemove={(gone) => choose(ids.filter((id) => id !== gone.id))} />
      )}
    </Page>
  );
}

function Review({ camera, start, looking }: { camera: Camera; start: Start; looking: LookingRef }) {
  const [window, setWindow] = useState(() => start.window ?? firstWindow(camera.createdAt, start.at));
  const [sought, setSought] = useState<Sought | null>(start.at === null ? null : { at: start.at, known: null });
  const operator = useMay('operator');
  const video = useRef<HTMLVideoElement>(null);
  const stands = useRef(start.still);
  const found = useQuery(footage(camera.id, window));
  const source = useSource(camera.id, sought, found.data?.asOf ?? null);
  const playback = useHls(video, source.data, sought, stands);
  const at = sought === null ? null : (playback.at ?? sought.at);
  const newest = found.data?.spans.at(-1);
  const selecting = useSelection(at);
  useInSight(at, window, setWindow);
  // what is being fetched is paused, too: until it plays it stands where it was told to
  const isStill = () => video.current === null || (video.current.paused && (video.current.readyState > 0 || stands.current));
  useAddress(looking, () => ({ at, still: isStill(), window }));
  useEffect(() => {
    // the page begins with the newest there is
    if (sought === null && newest !== undefined) setSought({ at: Math.max(Date.parse(newest.start), Date.parse(newest.end) - NEWEST_MS), known: null });
  }, [sought, newest]);
  const opened = useRef(start.window === null ? window : null);
  useEffect(() => {
    // a camera that was only just added has none yet: the window goes with the time until it has
    if (sought !== null || found.data === undefined || newest !== undefined || opened.current !== window || window.to > Date.now()) return;
    opened.current = windowOf(window.to - window.from, null);
    setWindow(opened.current);
  }, [found.dataUpdatedAt, sought, newest, window]); // oxlint-disable-line react-hooks/exhaustive-deps

  /** Within what is buffered or on the same playlist the player could jump by itself; a new address is as quick, and always right. What is
   * pressed plays; what stands still is moved and stands. */
  function seek(time: number, how: 'press' | 'move' = 'press'): void {
    const wanted = Math.min(time, Date.now() - 2_000);
    const there = playable(found.data, wanted, how === 'move' && at !== null && wanted < at);
    if (how === 'press' && there > wanted) tell(t.recordings.playsFrom(clock(wanted), clock(there)));
    stands.current = how === 'move' && isStill();
    setSought({ at: there, known: null });
  }
  const goOn = useGoOn(camera.id, video, at, (next) => {
    stands.current = false;
    setSought(next);
  });
  const beyond = (sec: number) => {
    const here = playback.here();
    if (here === null) return;
    const wanted = here + sec * 1_000;
    if (sec === 0) goOn();
    else if (sec < 0 || found.data?.asOf == null || wanted < Date.parse(found.data.asOf)) seek(wanted, 'move');
  };

  return (
    <div className="recordings-page">
      <div className="stack">
        <div className="recordings-player">
          <Player video={video} scale={false} keys={operator ? selecting.keys : {}} beyond={beyond}>
            {at === null ? '' : clock(at)}
          </Player>
          <Word from={sought?.at ?? null} source={source} failed={playback.failed} camera={camera} />
        </div>
        <WindowBar window={window} at={at} onWindow={setWindow} />
        {found.isError && <ErrorNote error={found.error} />}
        <Timeline
          camera={camera}
          window={window}
          footage={found.data}
          at={at}
          selection={selecting.selection}
          onSeek={seek}
          onSelect={operator ? selecting.select : undefined}
        />
        <p className="small faint">{`${days(window.from, window.to)} · ${operator ? t.recordings.timelineHint : t.recordings.seekHint} ${t.time.localTime}`}</p>
      </div>
      <div className="stack">
        {operator && (
          <Card title={t.recordings.selection}>
            <Keep cameras={[camera]} selecting={selecting} at={at} />
          </Card>
        )}
        <Card title={t.recordings.gaps}>
          <div className="stack tight">
            {found.data !== undefined && (
              <p className="small quiet">
                {t.recordings.covered(t.unit.percent(found.data.percentCovered.toFixed(found.data.percentCovered >= 99.95 ? 0 : 1)))}
                {found.data.asOf !== null && ` · ${t.recordings.known(shortTime(found.data.asOf))}`}
              </p>
            )}
            <Gaps footage={found.data} onSeek={seek} />
          </div>
        </Card>
        {operator && (
          <Card title={t.recordings.exports}>
            <Exports />
          </Card>
        )}
      </div>
    </div>
  );
}

/** When what is played comes to its end: on to what was recorded since, which is waited for. Answers how to ask at once. */
function useGoOn(cameraId: string, video: RefObject<HTMLVideoElement | null>, at: number | null, onNext: (next: Sought) => void): () => void {
  const ask = useRef(() => {});
  useEffect(() => {
    ask.current = () => {
      const element = video.current;
      if (at === null || element === null) return;
      void client.cameras.recordings(cameraId, { from: iso(at), to: iso(Math.min(at + HOUR_MS, Date.now())) }).then(
        ({ spans, asOf }) => {
          const next = spans.find(({ end }) => Date.parse(end) > at + LEAST_MS);
          if (next !== undefined && element.ended) onNext({ at: Math.max(at, Date.parse(next.start)), known: asOf === null ? null : Date.parse(asOf) });
        },
        () => undefined, // asked again
      );
    };
  });
  useEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    const soon = () => ask.current();
    element.addEventListener('ended', soon);
    const timer = setInterval(() => {
      if (element.ended) soon();
    }, WAIT_MS);
    return () => {
      element.removeEventListener('ended', soon);
      clearInterval(timer);
    };
  }, [video]);
  return () => ask.current();
}

function useSource(cameraId: string, sought: Sought | null, asOf: string | null) {
  const from = sought?.at ?? null;
  return useQuery({
    queryKey: ['picture', 'playback', cameraId, from, sought?.known],
    queryFn: ({ signal }) => {
      const start = from ?? 0;
      const known = sought?.known ?? (asOf === null ? Date.now() : Date.parse(asOf));
      return client.cameras.playbackUrl(cameraId, { from: iso(start), to: iso(Math.max(start + 10_000, Math.min(start + HOUR_MS, known))) }, { signal, maxRetries: 1 });
    },
    enabled: from !== null,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

/** What stands in the player while there is nothing to see. */
function Word({
  from,
  source,
  failed,
  camera,
}: {
  from: number | null;
  source: ReturnType<typeof useSource>;
  failed: 'format' | 'network' | null;
  camera: Camera;
}) {
  if (from === null) return <div className="player-word">{t.recordings.pickTime}</div>;
  if (source.isPending) return <div className="player-word">{t.recordings.loading}</div>;
  if (source.isError) {
    return (
      <div className="player-word">
        <ErrorNote error={source.error} />
      </div>
    );
  }
  if (failed === null) return null;
  return (
    <div className="player-word">
      <Note tone="warn" icon="warn">
        {failed === 'format' || camera.codec === 'h265' ? t.recordings.cannotPlay : t.state.noAnswer}
      </Note>
    </div>
  );
}
