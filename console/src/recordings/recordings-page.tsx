/** Recorded footage of a camera: see where there is some and why where there is none, play it, keep a stretch of it. */
import type { Camera } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { client } from '../api/client';
import { allCameras } from '../api/queries';
import { Button, DayField, IconButton, Segmented, Select } from '../design/controls';
import { Card, Empty, ErrorNote, ErrorPanel, Note, Page, Skeleton } from '../design/surfaces';
import { Player } from '../player/player';
import { useMay } from '../session/session';
import { t } from '../text';
import { clock, day, shortTime } from '../text/when';
import { footage, iso, type Window } from './footage';
import { useHls } from './hls';
import { Exports, Keep } from './keep';
import { Gaps, Timeline, type Range } from './timeline';
import './recordings.css';

type Shown = keyof typeof t.recordings.spans;
const HOUR_MS = 3_600_000;
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
  const camera = cameras.data.find(({ id }) => id === search.camera) ?? cameras.data[0];
  if (camera === undefined) {
    return (
      <Page title={t.recordings.title}>
        <Empty icon="recordings" title={t.recordings.empty} detail={t.recordings.emptyDetail} />
      </Page>
    );
  }
  return (
    <Page
      title={t.recordings.title}
      actions={
        <Select
          bare
          label={t.recordings.choose}
          value={camera.id}
          onChange={(id) => void navigate({ search: { camera: id }, replace: true })}
          options={cameras.data.map(({ id, name }) => ({ id, label: name }))}
        />
      }
    >
      <Review key={camera.id} camera={camera} start={search.at === undefined ? null : Date.parse(search.at)} />
    </Page>
  );
}

/** A window of this length that ends now, or has `around` in its middle. */
function windowOf(lengthMs: number, around: number | null): Window {
  const now = Math.ceil(Date.now() / 10_000) * 10_000;
  const to = around === null ? now : Math.min(now, around + lengthMs / 2);
  return { from: to - lengthMs, to };
}

function Review({ camera, start }: { camera: Camera; start: number | null }) {
  const [shown, setShown] = useState<Shown>(() => (Date.now() - Date.parse(camera.createdAt) < HOUR_MS / 3 ? '600' : '3600'));
  const [window, setWindow] = useState(() => windowOf(Number(shown) * 1_000, start));
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
  const length = Number(shown) * 1_000;

  /** Within what is buffered or on the same playlist the player could jump by itself; a new address is as quick, and always right. */
  const seek = useCallback((time: number) => setFrom(Math.min(time, Date.now() - 2_000)), []);
  const shift = (direction: 1 | -1) =>
    setWindow(({ from: begin, to }) => (to + direction * length > Date.now() ? windowOf(length, null) : { from: begin + direction * length, to: to + direction * length }));
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
        <div className="toolbar">
          <IconButton icon="left" label={t.recordings.earlier} onPress={() => shift(-1)} kind="plain" />
          <IconButton icon="right" label={t.recordings.later} onPress={() => shift(1)} kind="plain" />
          <Button onPress={() => setWindow(windowOf(length, null))}>{t.recordings.now}</Button>
          <DayField
            bare
            label={t.recordings.day}
            value={localDay(window.from)}
            onChange={(value) => {
              if (value === '') return;
              setShown('86400');
              const midnight = new Date(`${value}T00:00`).getTime();
              setWindow({ from: midnight, to: midnight + 24 * HOUR_MS });
            }}
          />
          <span className="grow" />
          <Segmented
            label={t.recordings.span}
            value={shown}
            onChange={(next) => {
              setShown(next);
              setWindow(windowOf(Number(next) * 1_000, at ?? (window.to >= Date.now() - 60_000 ? null : (window.from + window.to) / 2)));
            }}
            options={(['600', '3600', '21600', '86400'] as const).map((id) => ({ id, label: t.recordings.spans[id] }))}
          />
        </div>
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

function localDay(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;
}
