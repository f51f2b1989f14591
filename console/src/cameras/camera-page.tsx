/** One camera: its picture, what it is, what happened there. */
import type { CameraDetail } from '@novavms/sdk';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { client } from '../api/client';
import { allGateways, allSites, camera as cameraQuery, eventList } from '../api/queries';
import { Button, ButtonLink } from '../design/controls';
import { Card, ErrorNote, ErrorPanel, Facts, Note, Page, Skeleton } from '../design/surfaces';
import { EventThumb } from '../events/thumb';
import { LiveView } from '../live/live-view';
import { useMay } from '../session/session';
import { t } from '../text';
import { fullTime } from '../text/when';
import { useCameraActions } from './actions';
import { streamOf } from './cameras-page';
import { CheckVerdict, Warnings } from './stage-list';
import { Ago, reasonOf, Since, StatusBadge } from './status';
import './cameras.css';

export function CameraPage() {
  const { cameraId } = useParams({ from: '/cameras/$cameraId' });
  const found = useQuery(cameraQuery(cameraId));
  const navigate = useNavigate();
  const operator = useMay('operator');
  const camera = found.data;
  const { menu, dialogs, record } = useCameraActions(camera, () => void navigate({ to: '/cameras' }));
  if (found.isPending) {
    return (
      <Page title={t.cameras.camera}>
        <Skeleton kind="page" count={2} />
      </Page>
    );
  }
  if (camera === undefined) {
    return (
      <Page title={t.cameras.camera}>
        <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />
      </Page>
    );
  }
  const reason = reasonOf(camera);
  return (
    <Page
      title={camera.name}
      detail={
        <span className="row wrap">
          <StatusBadge status={camera.status} />
          <span>
            <Since at={camera.statusAt} />
          </span>
          {reason !== null && <span>{reason}</span>}
        </span>
      }
      actions={
        <>
          <ButtonLink to="/recordings" search={{ camera: camera.id }} icon="recordings">
            {t.cameras.openRecordings}
          </ButtonLink>
          {operator && (
            <Button kind="danger" icon="record" onPress={record} isDisabled={camera.status !== 'online'}>
              {t.cameras.record}
            </Button>
          )}
          {menu}
        </>
      }
    >
      {camera.movedTo !== null && camera.movedTo !== undefined && operator && <Moved camera={camera} />}
      <div className="camera-page">
        <div className="stack">
          <div className="stage-view">
            <LiveView camera={camera} tier="main" records={false} />
          </div>
          <RecentEvents cameraId={camera.id} />
        </div>
        <div className="stack">
          <Card title={t.cameras.details}>
            <CameraFacts camera={camera} />
          </Card>
          {camera.status === 'error' && camera.check !== null && camera.check !== undefined && !camera.check.ok && (
            <Card title={t.cameras.lastCheck}>
              <CheckVerdict report={camera.check} />
            </Card>
          )}
          {camera.check?.ok === true && <Warnings report={camera.check} />}
        </div>
      </div>
      {dialogs}
    </Page>
  );
}

function Moved({ camera }: { camera: CameraDetail }) {
  const queries = useQueryClient();
  const after = { onSettled: () => void queries.invalidateQueries({ queryKey: ['cameras', 'one', camera.id] }) };
  const accepting = useMutation({ mutationFn: () => client.cameras.acceptMove(camera.id), ...after });
  const dismissing = useMutation({ mutationFn: () => client.cameras.dismissMove(camera.id), ...after });
  const { movedTo } = camera;
  if (movedTo === null || movedTo === undefined) return null;
  return (
    <Note
      tone="accent"
      icon="camera"
      action={
        <span className="row wrap">
          <Button small kind="primary" onPress={() => accepting.mutate()} isPending={accepting.isPending}>
            {t.cameras.moveAccept}
          </Button>
          <Button small onPress={() => dismissing.mutate()} isPending={dismissing.isPending}>
            {t.cameras.moveDismiss}
          </Button>
        </span>
      }
    >
      <p>{t.cameras.moved(movedTo.host)}</p>
      {movedTo.message !== null && movedTo.message !== undefined && <p className="quiet">{movedTo.message}</p>}
      {accepting.isError && <ErrorNote error={accepting.error} />}
    </Note>
  );
}

function CameraFacts({ camera }: { camera: CameraDetail }) {
  const site = useQuery(allSites).data?.find(({ id }) => id === camera.siteId);
  const gateway = useQuery(allGateways).data?.find(({ id }) => id === camera.gatewayId);
  const names = t.cameras.facts;
  return (
    <Facts
      items={[
        [names.site, site?.name],
        [
          names.gateway,
          gateway && (
            <Link to="/gateways/$gatewayId" params={{ gatewayId: gateway.id }}>
              {gateway.name}
            </Link>
          ),
        ],
        [names.connection, gateway === undefined ? t.cameras.mode[camera.connectionMode] : null],
        [names.type, t.cameras.type[camera.type]],
        [names.address, <span key="address" className="mono">{`${camera.host}:${camera.port}`}</span>],
        [names.model, [camera.manufacturer, camera.model].filter(Boolean).join(' ')],
        [names.firmware, camera.firmware],
        [names.picture, [streamOf(camera), camera.fps === null ? '' : `${Math.round(camera.fps)} fps`].filter(Boolean).join(', ')],
        [names.audio, camera.hasAudio === null ? null : camera.hasAudio ? names.audioYes : names.audioNo],
        [names.tier, t.cameras.tier[camera.activeTier]],
        [names.recordingMode, t.cameras.recordingMode[camera.recordingMode]],
        [names.seen, camera.status !== 'online' && camera.lastSeenAt !== null && <Ago key="seen" at={camera.lastSeenAt} />],
        [names.added, fullTime(camera.createdAt)],
      ]}
    />
  );
}

function RecentEvents({ cameraId }: { cameraId: string }) {
  const list = useInfiniteQuery(eventList({ cameraId, limit: 6 }));
  const events = list.data?.pages[0]?.data ?? [];
  return (
    <Card
      title={t.cameras.recentEvents}
      actions={
        <Link to="/events" search={{ camera: cameraId }} className="small">
          {t.cameras.allEvents}
        </Link>
      }
    >
      {list.isError && <ErrorNote error={list.error} />}
      {list.isSuccess && events.length === 0 && <p className="quiet">{t.cameras.noEvents}</p>}
      {events.length > 0 && (
        <ul className="event-strip">
          {events.map((event) => (
            <li key={event.id}>
              <EventThumb event={event} search={{ camera: cameraId }} bare />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
