/** One gateway: how it is, what it carries, the cameras on it. */
import type { Gateway } from '@novavms/sdk';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { client } from '../api/client';
import { allSites, cameraList, gateway as gatewayQuery, telemetry } from '../api/queries';
import { Ago, StatusBadge } from '../cameras/status';
import { Button, ButtonLink, TextField } from '../design/controls';
import { Deletion } from '../design/deletion';
import { Card, Dialog, ErrorNote, ErrorPanel, Facts, Menu, Note, Page, Skeleton } from '../design/surfaces';
import { tell } from '../design/toasts';
import { useMay } from '../session/session';
import { t } from '../text';
import { bytes, fullTime } from '../text/when';
import { GatewayBadge } from './gateways-page';
import { Plots } from './plots';
import './gateways.css';

/** Nothing is recorded in these. */
const STOPPED: ReadonlySet<string> = new Set(['recording_stopped', 'lost']);

export function GatewayPage() {
  const { gatewayId } = useParams({ from: '/gateways/$gatewayId' });
  const found = useQuery(gatewayQuery(gatewayId));
  const operator = useMay('operator');
  const [dialog, setDialog] = useState<'rename' | 'delete' | null>(null);
  const gateway = found.data;
  if (gateway === undefined) {
    return (
      <Page title={t.gateways.gateway}>
        {found.isPending ? <Skeleton kind="page" count={2} /> : <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />}
      </Page>
    );
  }
  return (
    <Page
      title={gateway.name}
      detail={
        <span className="row wrap">
          <GatewayBadge status={gateway.status} />
          <Ago at={gateway.lastHeartbeatAt} />
        </span>
      }
      actions={
        operator && (
          <>
            <ButtonLink to="/cameras/add" search={{ gateway: gateway.id }} kind="primary" icon="add">
              {t.cameras.add}
            </ButtonLink>
            <Menu
              label={t.gateways.actions(gateway.name)}
              actions={[
                { id: 'rename', label: t.gateways.rename, icon: 'edit', act: () => setDialog('rename') },
                { id: 'delete', label: t.gateways.delete, icon: 'trash', bad: true, act: () => setDialog('delete') },
              ]}
            />
          </>
        )
      }
    >
      <div className="gateway-page">
        <div className="stack">
          {gateway.storageMessage != null && (
            <Note tone={STOPPED.has(gateway.storageState ?? 'ok') ? 'bad' : 'warn'} icon="warn">
              {gateway.storageMessage}
            </Note>
          )}
          <Card title={t.gateways.telemetry}>
            <Telemetry id={gateway.id} />
          </Card>
          <Card title={t.gateways.cameras}>
            <CamerasOn id={gateway.id} />
          </Card>
        </div>
        <Card title={t.gateways.hardware}>
          <GatewayFacts gateway={gateway} />
        </Card>
      </div>
      {dialog === 'rename' && <RenameDialog gateway={gateway} onClose={() => setDialog(null)} />}
      <DeleteDialog gateway={gateway} isOpen={dialog === 'delete'} onClose={() => setDialog(null)} />
    </Page>
  );
}

function Telemetry({ id }: { id: string }) {
  const found = useQuery(telemetry(id));
  if (found.isPending) return <Skeleton kind="rows" count={2} />;
  if (found.isError) return <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />;
  return found.data.length === 0 ? <p className="quiet">{t.gateways.noTelemetry}</p> : <Plots points={found.data} />;
}

function CamerasOn({ id }: { id: string }) {
  const list = useInfiniteQuery(cameraList({ gatewayId: id, sort: 'name', limit: 100 }));
  const cameras = list.data?.pages.flatMap(({ data }) => data) ?? [];
  if (list.isError) return <ErrorNote error={list.error} />;
  if (list.isSuccess && cameras.length === 0) return <p className="quiet">{t.gateways.noCameras}</p>;
  return (
    <ul className="camera-rows">
      {cameras.map((camera) => (
        <li key={camera.id}>
          <Link to="/cameras/$cameraId" params={{ cameraId: camera.id }} className="grow cut tile-name">
            {camera.name}
          </Link>
          <span className="small faint mono">{camera.host}</span>
          <StatusBadge status={camera.status} />
        </li>
      ))}
    </ul>
  );
}

function GatewayFacts({ gateway }: { gateway: Gateway }) {
  const site = useQuery(allSites).data?.find(({ id }) => id === gateway.siteId);
  const fact = (key: string) => {
    const value = gateway.hardware[key];
    return typeof value === 'string' || typeof value === 'number' ? value : null;
  };
  const size = (key: string) => (typeof fact(key) === 'number' ? bytes(Number(fact(key))) : null);
  return (
    <Facts
      items={[
        [t.sites.site, site?.name],
        [t.gateways.version, gateway.version],
        [t.gateways.localIp, gateway.localIp],
        [t.gateways.hostname, fact('hostname')],
        [t.gateways.os, [fact('os'), fact('arch')].filter(Boolean).join(', ')],
        [t.gateways.cpu, fact('cpu_count')],
        [t.gateways.memory, size('memory_bytes')],
        [t.gateways.disk, size('disk_bytes')],
        [t.gateways.paired, gateway.pairedAt && fullTime(gateway.pairedAt)],
      ]}
    />
  );
}

function RenameDialog({ gateway, onClose }: { gateway: Gateway; onClose: () => void }) {
  const [name, setName] = useState(gateway.name);
  const queries = useQueryClient();
  const saving = useMutation({
    mutationFn: () => client.gateways.update(gateway.id, { name: name.trim() }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['gateways'] });
      onClose();
    },
  });
  return (
    <Dialog title={t.gateways.rename} isOpen onClose={onClose} size="s">
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          saving.mutate();
        }}
      >
        <TextField label={t.form.name} value={name} onChange={setName} maxLength={100} isRequired autoFocus />
        {saving.isError && <ErrorNote error={saving.error} />}
        <Button type="submit" kind="primary" isPending={saving.isPending} isDisabled={name.trim() === ''}>
          {t.form.save}
        </Button>
      </form>
    </Dialog>
  );
}

function DeleteDialog({ gateway, isOpen, onClose }: { gateway: Gateway; isOpen: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return (
    <Deletion
      title={t.gateways.deleteTitle(gateway.name)}
      detail={t.gateways.deleteDetail}
      isOpen={isOpen}
      onClose={onClose}
      remove={() => client.gateways.delete(gateway.id)}
      onDeleted={async () => {
        tell(t.gateways.deleted(gateway.name));
        await navigate({ to: '/gateways' });
        void queries.invalidateQueries({ queryKey: ['gateways'] });
      }}
    />
  );
}
