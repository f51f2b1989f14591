/** Recorded footage of a camera: see where there is some and why where there is none, play it, keep a stretch of it. */
import type { Camera } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { client } from '../api/client';
import { allCameras } from '../api/queries';
import { Button, Select } from '../design/controls';
import { Card, Empty, ErrorNote, ErrorPanel, Menu, Note, Page, Skeleton } from '../design/surfaces';
import { Player } from '../player/player';
import { useMay } from '../session/session';
import { t } from '../text';
import { clock, day, shortTime } from '../text/when';
import { footage, iso } from './footage';
import { useHls } from './hls';
import { Exports, Keep } from './keep';
import { Gaps, Timeline, type Range } from './timeline';
import { Together } from './together';
import { firstShown, HOUR_MS, lengthOf, WindowBar, windowOf, type Shown } from './window-bar';
import './recordings.css';

/** As many as are shown side by side. */
const MOST = 4;
const NEWEST_MS = 30_000;

export function RecordingsPage() {
  const search = useSearch({ from: '/recordings' });
  const cameras = useQuery(allCameras);
  const navigate = useNavigate({ from: '/recordings' });
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
        <Empty icon="recordings" title={t.recordings.empty} detail={t.recordings.emptyDetail} />
      </Page>
    );
  }
  const chosen = found.length === 0 ? [camera] : found;
  const choose = (ids: string[]) => void navigate({ search: { camera: ids.length === 1 ? ids[0] : ids }, replace: true });
  const ids = chosen.map(({ id }) => id);
  const others = all.filter(({ id }) => !ids.includes(id));
  const start = search.at === undefined ? null : Date.parse(search.at);
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
        <Review key={camera.id} camera={camera} start={start} />
      ) : (
        <Together cameras={chosen} start={start} onRemove={(gone) => choose(ids.filter((id) => id !== gone.id))} />
      )}
    </Page>
  );
}

function Review({ camera, start }: { camera: Camera; start: number | null }) {
  const [shown, setShown] = useState<Shown>(() => firstShown(camera.createdAt));
  const [window, setWindow] = useState(() => windowOf(lengthOf(shown), start));
  const [from, setFrom] = useState<number | null>(start);
  const [selection, setSelection] = useState<Range | null>(null);
  const operator = useMay('operator');
  const video = useRef<HTMLVideoElement>(null);
  const found = useQuery(footage(camera.id, window));
  const source = useSource(camera.id, from, found.data?.asOf ?? null);
  const playback = useHls(video, source.data, from);
  const at = from === null ? null : playback.at;
  const newest = found.data?.spans.at(-1);
  useEffect(() => {
    // the page begins with the newest there is
    if (from === null && newest !== undefined) setFrom(Math.max(Date.parse(newest.start), Date.parse(newest.end) - NEWEST_MS));
  }, [from, newest]);

  /** Within what is buffered or on the same playlist the player could jump by itself; a new address is as quick, and always right. */
  const seek = useCallback((time: number) => setFrom(Math.min(time, Date.now() - 2_000)), []);
  const mark = (edge: 'from' | 'to') => {
    if (at === null) return;
    const other = edge === 'from' ? Math.max(selection?.to ?? 0, at + 10_000) : Math.min(selection?.from ?? Infinity, at - 10_000);
    setSelection(edge === 'from' ? { from: at, to: other } : { from: other, to: at });
  };

  return (
    <div className="recordings-page">
      <div className="stack">
        <div className="recordings-player">
          <Player video={video} scale={false} keys={{ i: () => mark('from'), o: () => mark('to') }}>
            <span className="number small player-time">{at === null ? '' : clock(at)}</span>
          </Player>
          <Word from={from} source={source} failed={playback.failed} camera={camera} />
        </div>
        <WindowBar shown={shown} window={window} at={at} onShown={setShown} onWindow={setWindow} />
        {found.isError && <ErrorNote error={found.error} />}
        <Timeline camera={camera} window={window} footage={found.data} at={at} selection={selection} onSeek={seek} onSelect={setSelection} />
        <p className="small faint">
          {`${day(window.from)} · ${t.recordings.timelineHint} ${t.time.localTime}`}
        </p>
      </div>
      <div className="stack">
        {operator && (
          <Card title={t.recordings.selection}>
            <div className="stack">
              <Keep cameraId={camera.id} selection={selection} onClear={() => setSelection(null)} />
              <div className="row">
                <Button small onPress={() => mark('from')} isDisabled={at === null}>
                  {t.recordings.markStart}
                </Button>
                <Button small onPress={() => mark('to')} isDisabled={at === null}>
                  {t.recordings.markEnd}
                </Button>
              </div>
            </div>
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

function useSource(cameraId: string, from: number | null, asOf: string | null) {
  return useQuery({
    queryKey: ['picture', 'playback', cameraId, from],
    queryFn: ({ signal }) => {
      const start = from ?? 0;
      const known = asOf === null ? Date.now() : Date.parse(asOf);
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
