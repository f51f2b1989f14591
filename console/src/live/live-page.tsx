/** Many cameras at once: a grid to arrange, each camera large with one click. */
import type { Camera } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { allCameras } from '../api/queries';
import { FirstSteps } from '../cameras/first-steps';
import { IconButton, Segmented } from '../design/controls';
import { Empty, ErrorPanel, Page, Skeleton } from '../design/surfaces';
import { fill } from '../player/fill';
import { useKeys } from '../player/keys';
import { useMay, useMe } from '../session/session';
import { t } from '../text';
import { Cell } from './cell';
import { GridMenu } from './grid-menu';
import { fitted, layoutFor, neighbour, placesOf, swapped, useWall, type Arrangement, type Layout } from './grid';
import { useMove } from './saved';
import './live.css';

export function LivePage() {
  const cameras = useQuery(allCameras);
  const operator = useMay('operator');
  if (cameras.isPending) {
    return (
      <Page title={t.live.title}>
        <Skeleton kind="page" count={2} />
      </Page>
    );
  }
  if (cameras.data === undefined) {
    return (
      <Page title={t.live.title}>
        <ErrorPanel error={cameras.error} onRetry={() => void cameras.refetch()} />
      </Page>
    );
  }
  if (cameras.data.length === 0) {
    return (
      <Page title={t.live.title}>
        {operator ? <FirstSteps /> : <Empty icon="live" title={t.cameras.emptyViewer} detail={t.cameras.emptyViewerDetail} />}
      </Page>
    );
  }
  return <Wall cameras={cameras.data} />;
}

/**
 * What a first visit shows: all that can be, those that can be seen first. As long as nobody arranges it, a camera that is added later finds
 * its place, and none that is there moves.
 */
function useFirstGrid(cameras: readonly Camera[]): Arrangement {
  const [first, setFirst] = useState<Arrangement>(() => {
    const ordered = cameras.toSorted((one, other) => Number(other.status === 'online') - Number(one.status === 'online'));
    const layout = layoutFor(cameras.length);
    return { layout, cells: fitted(ordered.map(({ id }) => id), layout) };
  });
  const layout = layoutFor(cameras.length) > first.layout ? layoutFor(cameras.length) : first.layout;
  const rest = cameras.filter(({ id }) => !first.cells.includes(id)).map(({ id }) => id);
  const hasPlace = placesOf(layout) > first.cells.filter((id) => cameras.some((each) => each.id === id)).length;
  if (rest.length === 0 || !hasPlace) return first;
  const cells = fitted(first.cells, layout).map((id) => (cameras.some((each) => each.id === id) ? id : (rest.shift() ?? id)));
  const next = { layout, cells };
  setFirst(next);
  return next;
}

function Wall({ cameras }: { cameras: readonly Camera[] }) {
  const me = useMe();
  const [arranged, arrange] = useWall(me.id);
  useMove(me.id, cameras);
  const wall = useRef<HTMLDivElement>(null);
  const first = useFirstGrid(cameras);
  const [large, setLarge] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const { layout, cells } = arranged ?? first;
  const columns = Number(layout);
  const show = (next: Partial<Arrangement>) => arrange({ layout, cells, ...next });
  const cameraAt = (id: string | null) => cameras.find((each) => each.id === id) ?? null;
  useKeys({ Escape: () => setLarge(null), f: () => fill(wall.current) });

  const swap = (from: number, to: number) => {
    if (from === to) return;
    show({ cells: swapped(cells, from, to) });
    const camera = cameraAt(cells[from] ?? null);
    if (camera !== null) setSaid(t.live.moved(camera.name, to + 1));
  };

  return (
    <div className="live-page">
      <Page
        title={t.live.title}
        actions={
          <>
            <Segmented
              label={t.live.layout}
              value={layout}
              onChange={(next: Layout) => {
                setLarge(null);
                show({ layout: next, cells: grown(cells, next, cameras) });
              }}
              options={(['1', '2', '3', '4'] as const).map((id) => ({ id, label: t.live.layouts[id] }))}
            />
            <GridMenu
              current={{ layout, cells }}
              onShow={(next) => {
                setLarge(null);
                arrange(next);
              }}
            />
            <IconButton icon="screen" label={t.live.fullscreen} kind="plain" onPress={() => fill(wall.current)} />
          </>
        }
      >
        <div ref={wall} className={`wall${columns <= 2 ? ' few' : ''}${large === null ? '' : ' one-large'}`} style={{ '--columns': columns } as React.CSSProperties}>
          {cells.map((id, place) => (
            <Cell
              // a camera that moves takes its picture along
              key={id ?? `empty-${place}`}
              camera={cameraAt(id)}
              place={place}
              places={cells.length}
              tier={large === id || layout === '1' ? 'main' : 'sub'}
              isLarge={large !== null && large === id}
              isFirstEmpty={place === cells.findIndex((each) => cameraAt(each) === null)}
              others={cameras.filter((each) => !cells.includes(each.id))}
              onLarge={(on) => setLarge(on ? id : null)}
              onChoose={(chosen) => show({ cells: cells.map((each, at) => (at === place ? chosen : each)) })}
              onKey={(key) => swap(place, neighbour(place, key, columns, cells.length))}
              onDropFrom={(from) => swap(from, place)}
            />
          ))}
        </div>
        <p className="only-heard" role="status">
          {said}
        </p>
      </Page>
    </div>
  );
}

/** A larger layout is filled with cameras that are not shown yet. */
function grown(cells: readonly (string | null)[], layout: Layout, cameras: readonly Camera[]): Arrangement['cells'] {
  const rest = cameras.filter(({ id }) => !cells.includes(id)).map(({ id }) => id);
  return fitted(cells, layout).map((id, place) => (id === null && place >= cells.length ? (rest.shift() ?? null) : id));
}
