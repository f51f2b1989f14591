import type { PasswordReset, User, UserCreated } from '@novavms/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import { allUsers } from '../api/queries';
import { Ago } from '../cameras/status';
import { Button, Switch, TextField } from '../design/controls';
import { Deletion } from '../design/deletion';
import { Secret } from '../design/secret';
import { ActionsHead, Badge, Dialog, ErrorNote, ErrorPanel, Menu, type MenuAction, Skeleton } from '../design/surfaces';
import { tell, tellError } from '../design/toasts';
import { useMe } from '../session/session';
import { t } from '../text';
import { RoleFields, SitesCell, type GivenRole } from './role-fields';

type Open = { what: 'new' } | { what: 'edit' | 'delete' | 'reset'; user: User };

export function Users() {
  const list = useQuery(allUsers);
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      <div className="row apart">
        <span className="small quiet">{list.data === undefined ? '' : t.count.people(list.data.length)}</span>
        <Button kind="primary" icon="add" onPress={() => setOpen({ what: 'new' })}>
          {t.people.addUser}
        </Button>
      </div>
      {list.isPending && <Skeleton kind="rows" count={4} />}
      {list.isError && <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.data !== undefined && <Table users={list.data} onOpen={setOpen} />}
      {open?.what === 'new' && <NewUser onClose={close} />}
      {open?.what === 'edit' && <EditUser user={open.user} onClose={close} />}
      {open?.what === 'delete' && <DeleteUser user={open.user} onClose={close} />}
      {open?.what === 'reset' && <ResetLink user={open.user} onClose={close} />}
    </>
  );
}

function Table({ users, onOpen }: { users: readonly User[]; onOpen: (open: Open) => void }) {
  const me = useMe();
  const actions = (user: User): MenuAction[] => [
    { id: 'edit', label: t.form.edit, icon: 'edit', act: () => onOpen({ what: 'edit', user }) },
    { id: 'reset', label: t.people.reset, icon: 'key', act: () => onOpen({ what: 'reset', user }) },
    { id: 'out', label: t.people.endSessions, icon: 'person', act: () => void endSessions(user) },
    { id: 'delete', label: t.form.delete, icon: 'trash', bad: true, act: () => onOpen({ what: 'delete', user }) },
  ];
  return (
    <div className="card flush table-frame">
      <table className="table">
        <thead>
          <tr>
            <th>{t.people.columns.name}</th>
            <th>{t.people.columns.role}</th>
            <th className="wide-only">{t.people.columns.sites}</th>
            <th className="wide-only">{t.people.columns.lastLogin}</th>
            <th className="wide-only">{t.people.columns.state}</th>
            <ActionsHead />
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.id}>
              <td>
                <strong>{user.displayName}</strong>
                {user.id === me.id && <span className="faint">{` (${t.people.you})`}</span>}
                <div className="small faint">{user.email}</div>
              </td>
              <td className="word">{t.role[user.role]}</td>
              <td className="wide-only quiet">
                <SitesCell role={user.role} siteIds={user.siteIds} />
              </td>
              <td className="wide-only quiet">
                <Ago at={user.lastLoginAt} />
              </td>
              <td className="wide-only">
                <State user={user} />
              </td>
              <td className="end">
                {user.id !== me.id && user.role !== 'owner' && <Menu label={t.people.actions(user.displayName)} actions={actions(user)} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function State({ user }: { user: User }) {
  if (!user.enabled) return <Badge tone="quiet">{t.people.disabled}</Badge>;
  if (user.lastLoginAt === null) return <Badge tone="warn">{t.people.invited}</Badge>;
  return <Badge tone="good">{t.people.active}</Badge>;
}

async function endSessions(user: User): Promise<void> {
  try {
    await client.users.sessions.endAll(user.id);
    tell(t.people.sessionsEnded(user.displayName));
  } catch (error) {
    tellError(error);
  }
}

function NewUser({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [email, setEmail] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [role, setRole] = useState<GivenRole>('viewer');
  const [siteIds, setSiteIds] = useState<string[]>([]);
  const making = useMutation({
    mutationFn: () => client.users.create({ email: email.trim(), displayName: displayName.trim(), role, siteIds: role === 'viewer' ? siteIds : undefined }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['users'] }),
  });
  const made: UserCreated | undefined = making.data;
  return (
    <Dialog title={t.people.addUser} isOpen onClose={onClose}>
      {made === undefined ? (
        <form
          className="stack"
          onSubmit={(submit) => {
            submit.preventDefault();
            making.mutate();
          }}
        >
          <TextField label={t.people.displayName} value={displayName} onChange={setDisplayName} maxLength={100} isRequired autoFocus />
          <TextField label={t.people.email} type="email" value={email} onChange={setEmail} isRequired />
          <RoleFields role={role} onRole={setRole} siteIds={siteIds} onSiteIds={setSiteIds} />
          {making.isError && <ErrorNote error={making.error} />}
          <div className="row wrap">
            <Button
              type="submit"
              kind="primary"
              isPending={making.isPending}
              isDisabled={email === '' || displayName.trim() === '' || (role === 'viewer' && siteIds.length === 0)}
            >
              {t.people.addUser}
            </Button>
            <Button onPress={onClose}>{t.form.cancel}</Button>
          </div>
        </form>
      ) : (
        <div className="stack">
          <p>{t.people.created(made.user.displayName)}</p>
          {made.temporaryPassword !== undefined && (
            <Secret label={t.people.temporaryPassword} value={made.temporaryPassword} hint={t.people.temporaryHint} />
          )}
          <div>
            <Button kind="primary" onPress={onClose}>
              {t.form.done}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function EditUser({ user, onClose }: { user: User; onClose: () => void }) {
  const queries = useQueryClient();
  const [displayName, setDisplayName] = useState(user.displayName);
  const [role, setRole] = useState<GivenRole>(user.role === 'owner' ? 'admin' : user.role);
  const [siteIds, setSiteIds] = useState<string[]>(user.siteIds ?? []);
  const [enabled, setEnabled] = useState(user.enabled);
  const saving = useMutation({
    mutationFn: () =>
      client.users.update(user.id, { displayName: displayName.trim(), role, enabled, siteIds: role === 'viewer' ? siteIds : undefined }),
    onSuccess: (saved) => {
      void queries.invalidateQueries({ queryKey: ['users'] });
      tell(t.people.saved(saved.displayName));
      onClose();
    },
  });
  return (
    <Dialog title={t.people.editUser(user.displayName)} isOpen onClose={onClose}>
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          saving.mutate();
        }}
      >
        <TextField label={t.people.displayName} value={displayName} onChange={setDisplayName} maxLength={100} isRequired />
        <RoleFields role={role} onRole={setRole} siteIds={siteIds} onSiteIds={setSiteIds} />
        <Switch value={enabled} onChange={setEnabled}>
          {t.people.enabled}
        </Switch>
        {saving.isError && <ErrorNote error={saving.error} />}
        <div className="row wrap">
          <Button type="submit" kind="primary" isPending={saving.isPending} isDisabled={displayName.trim() === '' || (role === 'viewer' && siteIds.length === 0)}>
            {t.form.save}
          </Button>
          <Button onPress={onClose}>{t.form.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function DeleteUser({ user, onClose }: { user: User; onClose: () => void }) {
  const queries = useQueryClient();
  return (
    <Deletion
      title={t.people.deleteTitle(user.displayName)}
      detail={t.people.deleteUserDetail}
      onClose={onClose}
      remove={() => client.users.delete(user.id)}
      onDeleted={() => {
        void queries.invalidateQueries({ queryKey: ['users'] });
        tell(t.people.deleted(user.displayName));
        onClose();
      }}
    />
  );
}

function ResetLink({ user, onClose }: { user: User; onClose: () => void }) {
  const making = useMutation({ mutationFn: () => client.users.resetPassword(user.id) });
  const made: PasswordReset | undefined = making.data;
  return (
    <Dialog title={t.people.resetTitle(user.displayName)} isOpen onClose={onClose}>
      <div className="stack">
        {making.isError && <ErrorNote error={making.error} />}
        {made === undefined ? (
          <div>
            <Button kind="primary" icon="key" onPress={() => making.mutate()} isPending={making.isPending}>
              {t.people.reset}
            </Button>
          </div>
        ) : (
          <Secret label={t.people.reset} value={`${location.origin}/reset-password#${made.resetToken}`} hint={t.people.resetHint} />
        )}
      </div>
    </Dialog>
  );
}
