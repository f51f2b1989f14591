/** The places: name, time zone, address. */
import type { Site } from '@novavms/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { client } from '../api/client';
import { allCameras, allSites } from '../api/queries';
import { Button, TextField } from '../design/controls';
import { Deletion } from '../design/deletion';
import { ActionsHead, Dialog, Empty, ErrorNote, ErrorPanel, Menu, Page, Skeleton } from '../design/surfaces';
import { tell } from '../design/toasts';
import { useMay } from '../session/session';
import { t } from '../text';

const ZONES = Intl.supportedValuesOf('timeZone');

export function SitesPage() {
  const list = useQuery(allSites);
  const admin = useMay('admin');
  const [editing, setEditing] = useState<Site | 'new' | null>(null);
  const [deleting, setDeleting] = useState<Site | null>(null);
  const button = admin && (
    <Button kind="primary" icon="add" onPress={() => setEditing('new')}>
      {t.sites.add}
    </Button>
  );
  return (
    <Page title={t.sites.title} detail={list.data === undefined ? ' ' : t.count.sites(list.data.length)} actions={list.data?.length === 0 ? null : button}>
      {list.isPending && <Skeleton kind="rows" count={3} />}
      {list.isError && <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.data?.length === 0 && <Empty icon="site" title={t.sites.empty} detail={t.sites.emptyDetail} action={button} />}
      {list.data !== undefined && list.data.length > 0 && <Table sites={list.data} onEdit={admin ? setEditing : null} onDelete={setDeleting} />}
      {editing !== null && <EditDialog site={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
      {deleting !== null && <DeleteDialog site={deleting} onClose={() => setDeleting(null)} />}
    </Page>
  );
}

function Table({ sites, onEdit, onDelete }: { sites: readonly Site[]; onEdit: ((site: Site) => void) | null; onDelete: (site: Site) => void }) {
  const cameras = useQuery(allCameras).data ?? [];
  return (
    <div className="card flush table-frame">
      <table className="table">
        <thead>
          <tr>
            <th>{t.sites.name}</th>
            <th>{t.sites.timezone}</th>
            <th className="wide-only">{t.sites.address}</th>
            <th className="wide-only">{t.cameras.title}</th>
            {onEdit !== null && <ActionsHead />}
          </tr>
        </thead>
        <tbody>
          {sites.map((site) => (
            <tr key={site.id}>
              <td>
                <Link to="/cameras" search={{ site: site.id }} className="tile-name">
                  {site.name}
                </Link>
              </td>
              <td className="quiet">{site.timezone}</td>
              <td className="wide-only quiet">{site.address}</td>
              <td className="wide-only quiet number">{cameras.filter(({ siteId }) => siteId === site.id).length}</td>
              {onEdit !== null && (
                <td className="end">
                  <Menu
                    label={t.sites.actions(site.name)}
                    actions={[
                      { id: 'edit', label: t.form.edit, icon: 'edit', act: () => onEdit(site) },
                      { id: 'delete', label: t.form.delete, icon: 'trash', bad: true, act: () => onDelete(site) },
                    ]}
                  />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function EditDialog({ site, onClose }: { site: Site | null; onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState(site?.name ?? '');
  const [timezone, setTimezone] = useState(site?.timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [address, setAddress] = useState(site?.address ?? '');
  const zoneId = useId();
  const saving = useMutation({
    mutationFn: () => {
      const wanted = { name: name.trim(), timezone, address: address.trim() || null };
      return site === null ? client.sites.create(wanted) : client.sites.update(site.id, wanted);
    },
    onSuccess: (saved) => {
      void queries.invalidateQueries({ queryKey: ['sites'] });
      tell(t.sites.saved(saved.name));
      onClose();
    },
  });
  return (
    <Dialog title={site === null ? t.sites.add : t.sites.edit} isOpen onClose={onClose}>
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          saving.mutate();
        }}
      >
        <TextField label={t.sites.name} value={name} onChange={setName} maxLength={100} isRequired autoFocus />
        <div className="field">
          <label className="label" htmlFor={zoneId}>
            {t.sites.timezone}
          </label>
          <select id={zoneId} className="input" value={timezone} onChange={(event) => setTimezone(event.target.value)}>
            {(ZONES.includes(timezone) ? ZONES : [timezone, ...ZONES]).map((zone) => (
              <option key={zone}>{zone}</option>
            ))}
          </select>
          <span className="hint">{t.sites.timezoneHint}</span>
        </div>
        <TextField label={t.sites.address} value={address} onChange={setAddress} maxLength={300} />
        {saving.isError && <ErrorNote error={saving.error} />}
        <div className="row wrap">
          <Button type="submit" kind="primary" isPending={saving.isPending} isDisabled={name.trim() === ''}>
            {t.form.save}
          </Button>
          <Button onPress={onClose}>{t.form.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function DeleteDialog({ site, onClose }: { site: Site; onClose: () => void }) {
  const queries = useQueryClient();
  return (
    <Deletion
      title={t.sites.deleteTitle(site.name)}
      detail={t.sites.deleteDetail}
      onClose={onClose}
      remove={() => client.sites.delete(site.id)}
      onDeleted={() => {
        void queries.invalidateQueries({ queryKey: ['sites'] });
        tell(t.sites.deleted(site.name));
        onClose();
      }}
    />
  );
}
