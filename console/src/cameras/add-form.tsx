/** How the camera is connected, and where it is. */
import type { DiscoveredDevice, Gateway } from '@novavms/sdk';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import { client } from '../api/client';
import { allCameras, allGateways, allSites } from '../api/queries';
import { Button, ButtonLink, PasswordField, Segmented, Select, TextField } from '../design/controls';
import { Icon } from '../design/icons';
import { Badge, Card, ErrorNote, Note } from '../design/surfaces';
import { t } from '../text';
import { isReady, type Draft } from './adding';

export type FoundDevice = Pick<DiscoveredDevice, 'host' | 'port' | 'name' | 'manufacturer' | 'model'>;

interface Props {
  /** After a check that failed: mostly it is the password. */
  again: boolean;
  draft: Draft;
  change: (more: Partial<Draft>) => void;
  found: readonly FoundDevice[] | null;
  setFound: (found: readonly FoundDevice[] | null) => void;
  onUse: (device: FoundDevice) => void;
  onSubmit: () => void;
}

export function AddForm({ again, draft, change, found, setFound, onUse, onSubmit }: Props) {
  const gateways = (useQuery(allGateways).data ?? []).filter(({ pairedAt }) => pairedAt !== null);
  const sites = useQuery(allSites).data ?? [];
  useDefaults(draft, change, gateways, sites);
  return (
    <form
      className="stack"
      onSubmit={(submit) => {
        submit.preventDefault();
        onSubmit();
      }}
    >
      <Card title={t.cameras.addFlow.where}>
        <div className="stack">
          <Mode value={draft.mode} onChange={(mode) => change({ mode })} />
          {draft.mode === 'gateway' && gateways.length === 0 && (
            <Note
              tone="accent"
              icon="gateway"
              action={
                <ButtonLink to="/gateways" small>
                  {t.cameras.addFlow.pairFirst}
                </ButtonLink>
              }
            >
              {t.cameras.addFlow.noGateways}
            </Note>
          )}
          <div className="two">
            {draft.mode === 'gateway' && gateways.length > 0 && (
              <Select
                label={t.cameras.addFlow.gateway}
                value={draft.gatewayId}
                onChange={(gatewayId) => {
                  setFound(null);
                  change({ gatewayId, siteId: gateways.find(({ id }) => id === gatewayId)?.siteId ?? draft.siteId });
                }}
                options={gateways.map(({ id, name, status }) => ({ id, label: name, detail: t.gateways.status[status] }))}
              />
            )}
            <Select
              label={t.cameras.addFlow.site}
              value={draft.siteId}
              onChange={(siteId) => change({ siteId })}
              options={sites.map(({ id, name }) => ({ id, label: name }))}
            />
          </div>
          {draft.mode === 'gateway' && draft.gatewayId !== '' && (
            <Discover gatewayId={draft.gatewayId} found={found} setFound={setFound} chosen={draft} onUse={onUse} />
          )}
        </div>
      </Card>
      <Card>
        <div className="stack">
          <Address again={again} draft={draft} change={change} />
          <div>
            <Button type="submit" kind="primary" isDisabled={!isReady(draft)}>
              {t.cameras.addFlow.submit}
            </Button>
          </div>
        </div>
      </Card>
    </form>
  );
}

/** The only gateway, the first site: chosen already. */
function useDefaults(draft: Draft, change: Props['change'], gateways: readonly Gateway[], sites: readonly { id: string }[]) {
  const gateway = gateways.find(({ id }) => id === draft.gatewayId) ?? gateways[0];
  useEffect(() => {
    if (draft.gatewayId === '' && gateway !== undefined) change({ gatewayId: gateway.id });
    if (draft.siteId !== '') return;
    const siteId = draft.mode === 'gateway' ? gateway?.siteId : sites[0]?.id;
    if (siteId !== undefined) change({ siteId });
  }, [draft.gatewayId, draft.siteId, draft.mode, gateway, sites, change]);
}

function Mode({ value, onChange }: { value: Draft['mode']; onChange: (mode: Draft['mode']) => void }) {
  return (
    <RadioGroup aria-label={t.cameras.addFlow.where} value={value} onChange={(mode) => onChange(mode as Draft['mode'])} className="mode-cards">
      {(['gateway', 'direct'] as const).map((mode) => (
        <Radio key={mode} value={mode} className="mode-card">
          <Icon name={mode === 'gateway' ? 'gateway' : 'camera'} size={22} />
          <span>
            <strong>{t.cameras.mode[mode]}</strong>
            <span className="small quiet block">{t.cameras.modeDetail[mode]}</span>
          </span>
        </Radio>
      ))}
    </RadioGroup>
  );
}

function Discover({
  gatewayId,
  found,
  setFound,
  chosen,
  onUse,
}: {
  gatewayId: string;
  found: Props['found'];
  setFound: Props['setFound'];
  chosen: Draft;
  onUse: Props['onUse'];
}) {
  const [hosts, setHosts] = useState('');
  const cameras = useQuery(allCameras).data ?? [];
  const finding = useMutation({
    mutationFn: async () => {
      const asked = hosts.split(/[\s,]+/).filter(Boolean).map((each) => each.split(':', 2));
      const ports = asked.map(([, port]) => Number(port)).filter((port) => port > 0);
      const params = { hosts: asked.map(([host]) => host ?? ''), ...(ports.length > 0 && { ports }) };
      return client.gateways.discover(gatewayId, asked.length > 0 ? params : {}, { timeout: 30_000 });
    },
    onSuccess: ({ devices }) => setFound(devices),
  });
  const isKnown = ({ host, port }: FoundDevice) => cameras.some((known) => known.host === host && known.port === port && known.gatewayId === gatewayId);
  return (
    <div className="stack tight">
      <div className="two discover">
        <TextField label={t.cameras.addFlow.hosts} value={hosts} onChange={setHosts} hint={t.cameras.addFlow.hostsHint} />
        <div className="field discover-button">
          <Button icon="search" onPress={() => finding.mutate()} isPending={finding.isPending}>
            {t.cameras.addFlow.find}
          </Button>
        </div>
      </div>
      <div aria-live="polite" className="stack tight">
        {finding.isPending && <p className="small quiet">{t.cameras.addFlow.finding}</p>}
        {finding.isError && <ErrorNote error={finding.error} />}
        {found !== null && !finding.isPending && (
          <p className="small quiet">{found.length === 0 ? t.cameras.addFlow.foundNone : t.cameras.addFlow.found(found.length)}</p>
        )}
      </div>
      {found !== null && found.length > 0 && (
        <ul className="found-list">
          {found.map((device) => {
            const name = device.name ?? device.host;
            const used = chosen.type === 'onvif' && chosen.host === device.host && chosen.port === String(device.port);
            return (
              <li key={`${device.host}:${device.port}`} className="found">
                <span className="grow">
                  <strong className="cut">{name}</strong>
                  <span className="small faint">
                    {' '}
                    {[device.manufacturer, device.model].filter(Boolean).join(' ')} <span className="mono">{`${device.host}:${device.port}`}</span>
                  </span>
                </span>
                {isKnown(device) ? (
                  <Badge tone="quiet">{t.cameras.addFlow.known}</Badge>
                ) : (
                  <Button small kind={used ? 'primary' : 'plain'} icon={used ? 'check' : undefined} onPress={() => onUse(device)}>
                    {t.cameras.addFlow.use(name)}
                  </Button>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

function Address({ again, draft, change }: Pick<Props, 'again' | 'draft' | 'change'>) {
  return (
    <>
      <Segmented
        label={t.cameras.addFlow.type}
        value={draft.type}
        onChange={(type) => change({ type })}
        options={(['onvif', 'rtsp'] as const).map((id) => ({ id, label: t.cameras.type[id] }))}
      />
      {draft.type === 'onvif' ? (
        <div className="two host-port">
          <TextField label={t.cameras.addFlow.host} value={draft.host} onChange={(host) => change({ host })} hint={t.cameras.addFlow.hostHint} mono isRequired />
          <TextField
            label={t.cameras.addFlow.port}
            value={draft.port}
            onChange={(port) => change({ port: port.replace(/\D/g, '').slice(0, 5) })}
            inputMode="numeric"
            hint={t.cameras.addFlow.portHint}
            mono
            isRequired
          />
        </div>
      ) : (
        <TextField
          label={t.cameras.addFlow.rtspUrl}
          value={draft.rtspUrl}
          onChange={(rtspUrl) => change({ rtspUrl })}
          hint={t.cameras.addFlow.rtspHint}
          mono
          isRequired
        />
      )}
      <div className="two">
        <TextField label={t.cameras.addFlow.user} value={draft.user} onChange={(user) => change({ user })} autoComplete="off" isRequired={draft.type === 'onvif'} />
        <PasswordField
          label={t.cameras.addFlow.password}
          value={draft.password}
          onChange={(password) => change({ password })}
          autoComplete="new-password"
          isRequired={draft.type === 'onvif'}
          autoFocus={again}
        />
      </div>
    </>
  );
}
