import type { ServiceAccount } from '@novavms/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import { allServiceAccounts, keysOf } from '../api/queries';
import { Button, TextField } from '../design/controls';
import { Deletion } from '../design/deletion';
import { Secret } from '../design/secret';
import { ActionsHead, Badge, Dialog, Empty, ErrorNote, ErrorPanel, Menu, Skeleton } from '../design/surfaces';
import { tell, tellError } from '../design/toasts';
import { t } from '../text';
import { ago, useNow } from '../text/when';
import { RoleFields, SitesCell, type GivenRole } from './role-fields';

type Open = { what: 'new' } | { what: 'keys' | 'delete'; account: ServiceAccount };

export function Accounts() {
  const list = useQuery(allServiceAccounts);
  const queries = useQueryClient();
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const button = (
    <Button kind="primary" icon="add" onPress={() => setOpen({ what: 'new' })}>
      {t.people.addAccount}
    </Button>
  );
  async function setEnabled(account: ServiceAccount, enabled: boolean): Promise<void> {
    try {
      await client.serviceAccounts.update(account.id, { enabled });
      await queries.invalidateQueries({ queryKey: ['service-accounts', 'all'] });
    } catch (error) {
      tellError(error);
    }
  }
  return (
    <>
      {(list.data?.length ?? 0) > 0 && (
        <div className="row wrap apart">
          <span className="small quiet">{t.people.accountsLead}</span>
          {button}
        </div>
      )}
      {list.isPending && <Skeleton kind="rows" count={3} />}
      {list.isError && <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.data?.length === 0 && <Empty icon="key" title={t.people.noAccounts} detail={t.people.noAccountsDetail} action={button} />}
      {list.data !== undefined && list.data.length > 0 && (
        <Table accounts={list.data} onOpen={setOpen} onEnable={(account, enabled) => void setEnabled(account, enabled)} />
      )}
      {open?.what === 'new' && <NewAccount onClose={close} onMade={(account) => setOpen({ what: 'keys', account })} />}
      {open?.what === 'keys' && <KeysDialog account={open.account} onClose={close} />}
      {open?.what === 'delete' && <DeleteAccount account={open.account} onClose={close} />}
    </>
  );
}

function Table({
  accounts,
  onOpen,
  onEnable,
}: {
  accounts: readonly ServiceAccount[];
  onOpen: (open: Open) => void;
  onEnable: (account: ServiceAccount, enabled: boolean) => void;
}) {
  return (
    <div className="card flush table-frame">
      <table className="table">
        <thead>
          <tr>
            <th>{t.people.columns.name}</th>
            <th>{t.people.columns.role}</th>
            <th className="wide-only">{t.people.columns.sites}</th>
            <th className="wide-only">{t.people.columns.state}</th>
            <ActionsHead />
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <tr key={account.id}>
              <td>
                <strong>{account.name}</strong>
              </td>
              <td className="word">{t.role[account.role]}</td>
              <td className="wide-only quiet">
                <SitesCell role={account.role} siteIds={account.siteIds} />
              </td>
              <td className="wide-only">
                <Badge tone={account.enabled ? 'good' : 'quiet'}>{account.enabled ? t.people.active : t.people.disabled}</Badge>
              </td>
              <td className="end">
                <div className="row">
                  <Button small icon="key" onPress={() => onOpen({ what: 'keys', account })}>
                    {t.people.manageKeys}
                  </Button>
                  <Menu
                    label={t.people.actions(account.name)}
                    actions={[
                      account.enabled
                        ? { id: 'disable', label: t.cameras.disable, icon: 'pause', act: () => onEnable(account, false) }
                        : { id: 'enable', label: t.cameras.enable, icon: 'play', act: () => onEnable(account, true) },
                      { id: 'delete', label: t.form.delete, icon: 'trash', bad: true, act: () => onOpen({ what: 'delete', account }) },
                    ]}
                  />
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NewAccount({ onClose, onMade }: { onClose: () => void; onMade: (account: ServiceAccount) => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<GivenRole>('viewer');
  const [siteIds, setSiteIds] = useState<string[]>([]);
  const making = useMutation({
    mutationFn: () => client.serviceAccounts.create({ name: name.trim(), role, siteIds: role === 'viewer' ? siteIds : undefined }),
    onSuccess: (account) => {
      void queries.invalidateQueries({ queryKey: ['service-accounts', 'all'] });
      onMade(account);
    },
  });
  return (
    <Dialog title={t.people.addAccount} isOpen onClose={onClose}>
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          making.mutate();
        }}
      >
        <TextField label={t.form.name} value={name} onChange={setName} maxLength={100} isRequired autoFocus />
        <RoleFields role={role} onRole={setRole} siteIds={siteIds} onSiteIds={setSiteIds} />
        {making.isError && <ErrorNote error={making.error} />}
        <div className="row wrap">
          <Button type="submit" kind="primary" isPending={making.isPending} isDisabled={name.trim() === '' || (role === 'viewer' && siteIds.length === 0)}>
            {t.people.addAccount}
          </Button>
          <Button onPress={onClose}>{t.form.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function KeysDialog({ account, onClose }: { account: ServiceAccount; onClose: () => void }) {
  const queries = useQueryClient();
  const now = useNow();
  const keys = useQuery(keysOf(account.id));
  const [name, setName] = useState('');
  const reread = () => void queries.invalidateQueries({ queryKey: ['service-accounts', 'keys', account.id] });
  const making = useMutation({
    mutationFn: () => client.serviceAccounts.keys.create(account.id, { name: name.trim() || undefined }),
    onSuccess: () => {
      setName('');
      reread();
    },
  });
  const revoking = useMutation({ mutationFn: (id: string) => client.serviceAccounts.keys.revoke(account.id, id), onSuccess: reread });
  return (
    <Dialog title={t.people.keysOf(account.name)} isOpen onClose={onClose}>
      <div className="stack">
        <form
          className="stack"
          onSubmit={(submit) => {
            submit.preventDefault();
            making.mutate();
          }}
        >
          <TextField label={t.people.keyName} value={name} onChange={setName} maxLength={100} />
          <div>
            <Button type="submit" kind="primary" icon="key" isPending={making.isPending}>
              {t.people.newKey}
            </Button>
          </div>
        </form>
        {making.isError && <ErrorNote error={making.error} />}
        {making.data !== undefined && <Secret label={t.people.key} value={making.data.key} hint={t.people.keyHint} />}
        {keys.isError && <ErrorNote error={keys.error} />}
        {keys.data?.length === 0 && <p className="quiet">{t.people.noKeys}</p>}
        <ul>
          {keys.data?.map((key) => (
            <li key={key.id} className={`key-row${key.revokedAt === null ? '' : ' revoked'}`}>
              <span className="grow">
                <span className="mono">{`${key.prefix}…`}</span> {key.name}
                <span className="small faint">{` ${key.lastUsedAt === null ? t.people.neverUsed : t.people.lastUsed(ago(key.lastUsedAt, now))}`}</span>
              </span>
              {key.revokedAt === null ? (
                <Button small onPress={() => revoking.mutate(key.id)} isPending={revoking.isPending && revoking.variables === key.id}>
                  {t.people.revoke}
                </Button>
              ) : (
                <Badge tone="quiet">{t.people.revoked}</Badge>
              )}
            </li>
          ))}
        </ul>
        {revoking.isError && <ErrorNote error={revoking.error} />}
      </div>
    </Dialog>
  );
}

function DeleteAccount({ account, onClose }: { account: ServiceAccount; onClose: () => void }) {
  const queries = useQueryClient();
  return (
    <Deletion
      title={t.people.deleteTitle(account.name)}
      detail={t.people.deleteAccountDetail}
      onClose={onClose}
      remove={() => client.serviceAccounts.delete(account.id)}
      onDeleted={() => {
        void queries.invalidateQueries({ queryKey: ['service-accounts', 'all'] });
        tell(t.people.deleted(account.name));
        onClose();
      }}
    />
  );
}
