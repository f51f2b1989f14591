/** A pairing code with its remaining time; it turns green when the gateway arrives. */
import type { PairingCode } from '@novavms/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import { allSites, gateway as gatewayQuery } from '../api/queries';
import { Button, ButtonLink, Select, TextField } from '../design/controls';
import { Icon } from '../design/icons';
import { Dialog, ErrorNote, Note } from '../design/surfaces';
import { useMay } from '../session/session';
import { t } from '../text';
import { position, useNow } from '../text/when';
import './gateways.css';

export function PairDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title={t.gateways.pairing.title} isOpen={isOpen} onClose={onClose}>
      <Pairing onClose={onClose} />
    </Dialog>
  );
}

function Pairing({ onClose }: { onClose: () => void }) {
  const sites = useQuery(allSites).data;
  const queries = useQueryClient();
  const [name, setName] = useState(t.gateways.pairing.nameDefault);
  const [chosen, setChosen] = useState<string | null>(null);
  const [siteName, setSiteName] = useState('');
  const admin = useMay('admin');
  const siteId = chosen ?? sites?.[0]?.id ?? null;
  const making = useMutation({
    mutationFn: async (gatewayId?: string) => {
      const place = siteId ?? (await firstSite());
      return client.gateways.generatePairingCode({ siteId: place, name: name.trim(), gatewayId });
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['gateways'] }),
  });

  async function firstSite(): Promise<string> {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    const made = await client.sites.create({ name: siteName.trim(), timezone: timeZone });
    setChosen(made.id);
    void queries.invalidateQueries({ queryKey: ['sites'] });
    return made.id;
  }

  if (making.data !== undefined) {
    return <Code key={making.data.pairingCode} code={making.data} onAgain={() => making.mutate(making.data.id)} isPending={making.isPending} onClose={onClose} />;
  }
  const siteless = sites?.length === 0 && chosen === null;
  if (siteless && !admin) return <Note tone="accent">{t.gateways.pairing.noSites}</Note>;
  return (
    <form
      className="stack"
      onSubmit={(submit) => {
        submit.preventDefault();
        making.mutate(undefined);
      }}
    >
      <p className="quiet">{t.gateways.pairing.lead}</p>
      <TextField label={t.gateways.pairing.name} value={name} onChange={setName} maxLength={100} isRequired autoFocus />
      {siteless ? (
        <TextField label={t.gateways.pairing.newSite} hint={t.gateways.pairing.newSiteHint} value={siteName} onChange={setSiteName} maxLength={100} isRequired />
      ) : (
        <Select
          label={t.gateways.pairing.site}
          value={siteId}
          onChange={setChosen}
          options={(sites ?? []).map(({ id, name: label }) => ({ id, label }))}
        />
      )}
      {making.isError && <ErrorNote error={making.error} />}
      <div>
        <Button type="submit" kind="primary" isPending={making.isPending} isDisabled={(siteId === null && siteName.trim() === '') || name.trim() === ''}>
          {t.gateways.pairing.make}
        </Button>
      </div>
    </form>
  );
}

function Code({ code, onAgain, isPending, onClose }: { code: PairingCode; onAgain: () => void; isPending: boolean; onClose: () => void }) {
  const now = useNow();
  const gateway = useQuery(gatewayQuery(code.id)).data;
  const leftSec = (Date.parse(code.expiresAt) - now) / 1_000;
  const words = t.gateways.pairing;
  if (gateway?.status === 'online') {
    return (
      <div className="pair-arrived" role="status">
        <span className="pair-mark">
          <Icon name="check" size={30} />
        </span>
        <h3>{words.arrived}</h3>
        <p className="quiet">{words.arrivedLead}</p>
        <div className="row wrap">
          <ButtonLink to="/cameras/add" search={{ gateway: code.id }} kind="primary" icon="add">
            {words.addCamera}
          </ButtonLink>
          <Button onPress={onClose}>{t.form.done}</Button>
        </div>
      </div>
    );
  }
  const paired = gateway !== undefined && gateway.pairedAt !== null;
  return (
    <div className="stack">
      <div className={`pair-code${leftSec <= 0 && !paired ? ' over' : ''}`}>
        <span className="small quiet">{words.code}</span>
        <output className="pair-letters mono">{code.pairingCode}</output>
        <span className="small quiet number">{paired ? words.starting : leftSec > 0 ? words.left(position(leftSec)) : words.over}</span>
      </div>
      {leftSec > 0 && !paired && (
        <>
          <div className="stack tight">
            <span className="label">{words.command}</span>
            <code className="pair-command mono">{words.pairCommand(location.origin, code.pairingCode)}</code>
            <code className="pair-command mono">{words.run}</code>
          </div>
          <p className="row quiet">
            <span className="spinner" aria-hidden="true" /> {words.waiting}
          </p>
        </>
      )}
      {leftSec <= 0 && !paired && (
        <div>
          <Button kind="primary" onPress={onAgain} isPending={isPending}>
            {words.again}
          </Button>
        </div>
      )}
    </div>
  );
}
