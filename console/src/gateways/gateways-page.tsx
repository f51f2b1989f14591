/** The gateways, and pairing a new one. */
import type { Gateway } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { allCameras, allGateways, allSites } from '../api/queries';
import { Ago } from '../cameras/status';
import { Button } from '../design/controls';
import { Badge, Empty, ErrorPanel, Page, Skeleton, type Tone } from '../design/surfaces';
import { useMay } from '../session/session';
import { t } from '../text';
import { PairDialog } from './pair-dialog';

export const GATEWAY_TONE: Record<Gateway['status'], Tone> = { online: 'good', offline: 'bad', registered: 'warn' };

export function GatewayBadge({ status }: { status: Gateway['status'] }) {
  return <Badge tone={GATEWAY_TONE[status]}>{t.gateways.status[status]}</Badge>;
}

export function GatewaysPage() {
  const list = useQuery(allGateways);
  const operator = useMay('operator');
  const [pairing, setPairing] = useState(false);
  const button = operator && (
    <Button kind="primary" icon="add" onPress={() => setPairing(true)}>
      {t.gateways.pair}
    </Button>
  );
  return (
    <Page title={t.gateways.title} detail={list.data === undefined ? ' ' : t.count.gateways(list.data.length)} actions={list.data?.length === 0 ? null : button}>
      {list.isPending && <Skeleton kind="rows" count={3} />}
      {list.isError && <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.data?.length === 0 && <Empty icon="gateway" title={t.gateways.empty} detail={t.gateways.emptyDetail} action={button} />}
      {list.data !== undefined && list.data.length > 0 && <Table gateways={list.data} />}
      {operator && <PairDialog isOpen={pairing} onClose={() => setPairing(false)} />}
    </Page>
  );
}

function Table({ gateways }: { gateways: readonly Gateway[] }) {
  const sites = useQuery(allSites).data ?? [];
  const cameras = useQuery(allCameras).data ?? [];
  return (
    <div className="card flush table-frame">
      <table className="table">
        <thead>
          <tr>
            <th>{t.gateways.gateway}</th>
            <th>{t.cameras.columns.status}</th>
            <th className="wide-only">{t.sites.site}</th>
            <th className="wide-only">{t.cameras.title}</th>
            <th className="wide-only">{t.gateways.version}</th>
            <th className="wide-only">{t.gateways.heartbeat}</th>
          </tr>
        </thead>
        <tbody>
          {gateways.map((gateway) => (
            <tr key={gateway.id}>
              <td>
                <Link to="/gateways/$gatewayId" params={{ gatewayId: gateway.id }} className="tile-name">
                  {gateway.name}
                </Link>
              </td>
              <td>
                <GatewayBadge status={gateway.status} />
              </td>
              <td className="wide-only quiet">{sites.find(({ id }) => id === gateway.siteId)?.name}</td>
              <td className="wide-only quiet number">{cameras.filter(({ gatewayId }) => gatewayId === gateway.id).length}</td>
              <td className="wide-only quiet">{gateway.version}</td>
              <td className="wide-only quiet">
                <Ago at={gateway.lastHeartbeatAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
