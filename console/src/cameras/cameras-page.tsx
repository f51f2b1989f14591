/** All cameras: pictures or a list, narrowed by the API's own filters. */
import type { Camera, ListCamerasParams } from '@novavms/sdk';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { allGateways, allSites, cameraList } from '../api/queries';
import { Button, ButtonLink, SearchField, Segmented, Select } from '../design/controls';
import { ActionsHead, Empty, ErrorPanel, Page, Skeleton } from '../design/surfaces';
import { useTyped } from '../design/typed';
import type { CameraSearch } from '../router';
import { useMay } from '../session/session';
import { t } from '../text';
import { useCameraActions } from './actions';
import { FirstSteps } from './first-steps';
import { Picture } from './picture';
import { reasonOf, Since, StatusBadge } from './status';
import './cameras.css';

const EVERY_MS = 10_000;
const ANY = '';

export function CamerasPage() {
  const search = useSearch({ from: '/cameras' });
  const { view, ...filters } = search;
  const params: ListCamerasParams = {
    q: filters.q,
    siteId: filters.site,
    gatewayId: filters.gateway,
    status: filters.status,
    type: filters.type,
    connectionMode: filters.mode,
    sort: 'name',
  };
  const list = useInfiniteQuery(cameraList(params));
  const operator = useMay('operator');
  const cameras = list.data?.pages.flatMap(({ data }) => data) ?? [];
  const filtered = Object.values(filters).some((value) => value !== undefined);
  const total = list.data?.pages[0]?.total ?? 0;
  return (
    <Page
      title={t.cameras.title}
      detail={list.data === undefined ? ' ' : t.count.cameras(total)}
      actions={
        operator && (
          <ButtonLink to="/cameras/add" kind="primary" icon="add">
            {t.cameras.add}
          </ButtonLink>
        )
      }
    >
      {(filtered || total > 0 || list.isPending) && <Filters search={search} />}
      {list.isPending && <Skeleton kind={view === 'list' ? 'rows' : 'tiles'} count={8} />}
      {list.isError && <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && cameras.length === 0 && <Nothing filtered={filtered} />}
      {cameras.length > 0 && (view === 'list' ? <List cameras={cameras} /> : <Grid cameras={cameras} />)}
      {list.hasNextPage && (
        <div>
          <Button onPress={() => void list.fetchNextPage()} isPending={list.isFetchingNextPage}>
            {t.form.loadMore}
          </Button>
        </div>
      )}
    </Page>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const operator = useMay('operator');
  const navigate = useNavigate();
  if (filtered) {
    return (
      <Empty
        icon="search"
        title={t.cameras.none}
        detail={t.cameras.noneDetail}
        action={<Button onPress={() => void navigate({ to: '/cameras', search: {} })}>{t.form.clearFilters}</Button>}
      />
    );
  }
  if (!operator) return <Empty icon="camera" title={t.cameras.emptyViewer} detail={t.cameras.emptyViewerDetail} />;
  return <FirstSteps />;
}

function Filters({ search }: { search: CameraSearch }) {
  const navigate = useNavigate({ from: '/cameras' });
  const sites = useQuery(allSites);
  const gateways = useQuery(allGateways);
  const [set] = useState(
    () => (change: Partial<CameraSearch>) => void navigate({ search: (known) => ({ ...known, ...change }), replace: true }),
  );
  const [settle] = useState(() => (q: string) => set({ q: q.trim() || undefined }));
  const [typed, setTyped] = useTyped(search.q ?? '', settle);
  const choice = <T extends string>(value: T | ''): T | undefined => (value === ANY ? undefined : value);
  return (
    <div className="toolbar" role="search" aria-label={t.cameras.filters}>
      <SearchField label={t.cameras.search} value={typed} onChange={setTyped} />
      <div className="filters">
      <Select
        bare
        label={t.cameras.columns.status}
        value={search.status ?? ANY}
        onChange={(id) => set({ status: choice(id) })}
        options={[
          { id: ANY, label: t.cameras.anyStatus },
          ...(['online', 'offline', 'error', 'pending', 'disabled'] as const).map((id) => ({ id, label: t.cameras.status[id] })),
        ]}
      />
      {(sites.data?.length ?? 0) > 1 && (
        <Select
          bare
          label={t.sites.site}
          value={search.site ?? ANY}
          onChange={(id) => set({ site: choice(id) })}
          options={[{ id: ANY, label: t.sites.allSites }, ...(sites.data ?? []).map(({ id, name }) => ({ id, label: name }))]}
        />
      )}
      {(gateways.data?.length ?? 0) > 1 && (
        <Select
          bare
          label={t.cameras.columns.gateway}
          value={search.gateway ?? ANY}
          onChange={(id) => set({ gateway: choice(id) })}
          options={[{ id: ANY, label: t.cameras.anyGateway }, ...(gateways.data ?? []).map(({ id, name }) => ({ id, label: name }))]}
        />
      )}
      <Select
        bare
        label={t.cameras.facts.type}
        value={search.type ?? ANY}
        onChange={(id) => set({ type: choice(id) })}
        options={[{ id: ANY, label: t.cameras.anyType }, ...(['onvif', 'rtsp'] as const).map((id) => ({ id, label: t.cameras.type[id] }))]}
      />
      <Select
        bare
        label={t.cameras.facts.connection}
        value={search.mode ?? ANY}
        onChange={(id) => set({ mode: choice(id) })}
        options={[
          { id: ANY, label: t.cameras.anyMode },
          ...(['gateway', 'direct'] as const).map((id) => ({ id, label: t.cameras.mode[id] })),
        ]}
      />
      </div>
      <span className="grow" />
      <Segmented
        label={t.cameras.view}
        value={search.view ?? 'grid'}
        onChange={(id) => set({ view: id === 'list' ? 'list' : undefined })}
        options={[
          { id: 'grid', label: t.cameras.views.grid, icon: 'grid' },
          { id: 'list', label: t.cameras.views.list, icon: 'list' },
        ]}
      />
    </div>
  );
}

function useSiteName(): (id: string) => string {
  const sites = useQuery(allSites);
  return (id) => sites.data?.find((site) => site.id === id)?.name ?? '';
}

function Grid({ cameras }: { cameras: readonly Camera[] }) {
  const siteName = useSiteName();
  return (
    <ul className="tiles">
      {cameras.map((camera) => (
        <Tile key={camera.id} camera={camera} site={siteName(camera.siteId)} />
      ))}
    </ul>
  );
}

function Tile({ camera, site }: { camera: Camera; site: string }) {
  const { menu, dialogs } = useCameraActions(camera);
  return (
    <li className="tile" data-camera={camera.id}>
      <Link to="/cameras/$cameraId" params={{ cameraId: camera.id }} className="tile-picture" aria-hidden="true" tabIndex={-1}>
        <Picture camera={camera} width={640} everyMs={EVERY_MS} />
      </Link>
      <div className="tile-foot">
        <div className="grow">
          <Link to="/cameras/$cameraId" params={{ cameraId: camera.id }} className="tile-name cut">
            {camera.name}
          </Link>
          <p className="small faint cut">
            {site}
            {camera.status !== 'online' && (
              <>
                {site === '' ? '' : ' · '}
                <Since at={camera.statusAt} />
              </>
            )}
          </p>
        </div>
        <StatusBadge status={camera.status} />
        {menu}
      </div>
      {dialogs}
    </li>
  );
}

function List({ cameras }: { cameras: readonly Camera[] }) {
  const siteName = useSiteName();
  return (
    <div className="card flush table-frame">
      <table className="table">
        <thead>
          <tr>
            <th>{t.cameras.columns.name}</th>
            <th>{t.cameras.columns.status}</th>
            <th className="wide-only">{t.cameras.columns.since}</th>
            <th className="wide-only">{t.cameras.columns.site}</th>
            <th className="wide-only">{t.cameras.columns.model}</th>
            <th className="wide-only">{t.cameras.columns.stream}</th>
            <ActionsHead />
          </tr>
        </thead>
        <tbody>
          {cameras.map((camera) => (
            <Row key={camera.id} camera={camera} site={siteName(camera.siteId)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ camera, site }: { camera: Camera; site: string }) {
  const { menu, dialogs } = useCameraActions(camera);
  const reason = reasonOf(camera);
  return (
    <tr data-camera={camera.id}>
      <td>
        <div className="row">
          <div className="row-picture">
            <Picture camera={camera} width={160} everyMs={EVERY_MS * 3} />
          </div>
          <Link to="/cameras/$cameraId" params={{ cameraId: camera.id }} className="tile-name">
            {camera.name}
          </Link>
        </div>
      </td>
      <td>
        <StatusBadge status={camera.status} />
        {reason !== null && <p className="row-reason small quiet">{reason}</p>}
      </td>
      <td className="wide-only quiet number">
        <Since at={camera.statusAt} />
      </td>
      <td className="wide-only quiet">{site}</td>
      <td className="wide-only quiet">{[camera.manufacturer, camera.model].filter(Boolean).join(' ')}</td>
      <td className="wide-only quiet number">{streamOf(camera)}</td>
      <td className="end">
        {menu}
        {dialogs}
      </td>
    </tr>
  );
}

/** H.264, 1920 × 1080. */
export function streamOf(camera: Camera): string {
  const codec = { h264: 'H.264', h265: 'H.265' }[camera.codec ?? ''] ?? camera.codec;
  const size = camera.width === null ? null : `${camera.width} × ${camera.height}`;
  return [codec, size].filter(Boolean).join(', ');
}
