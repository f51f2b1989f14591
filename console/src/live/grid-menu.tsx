/** The grids that there are: to show one, to keep what the wall shows now, to share and delete. */
import type { Grid } from '@novavms/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import { allCameras, allGrids } from '../api/queries';
import { Button, IconButton, Switch, TextField } from '../design/controls';
import { Deletion } from '../design/deletion';
import { Dialog, ErrorNote, ErrorPanel, Menu, type MenuAction, Skeleton } from '../design/surfaces';
import { tell } from '../design/toasts';
import { useMay } from '../session/session';
import { t } from '../text';
import type { Arrangement } from './grid';
import { arrangementOf, placesFor } from './saved';

type Open = 'nothing' | 'save' | 'manage' | Grid;

export function GridMenu({ current, onShow }: { current: Arrangement; onShow: (next: Arrangement) => void }) {
  const list = useQuery({ ...allGrids, refetchInterval: 60_000 }); // others share theirs
  const [open, setOpen] = useState<Open>('nothing');
  const operator = useMay('operator');
  const changeable = useChangeable();
  const manage = { id: 'manage', icon: 'edit', label: operator ? t.live.manage : t.live.manageOwn, act: () => setOpen('manage') } as const;
  const actions: MenuAction[] = [
    ...(list.data ?? []).map((grid) => ({
      id: grid.id,
      label: grid.isShared ? t.live.sharedGrid(grid.name) : grid.name,
      icon: grid.isShared ? ('share' as const) : ('grid' as const),
      act: () => onShow(arrangementOf(grid)),
    })),
    { id: 'save', label: t.live.save, icon: 'add', act: () => setOpen('save') },
    ...(changeable.length > 0 ? [manage] : []),
    ...(list.isError ? [{ ...manage, id: 'away', icon: 'warn' as const, label: t.live.gridsAway }] : []),
  ];
  const close = () => setOpen('nothing');
  return (
    <>
      <Menu label={t.live.grids} actions={actions}>
        <Button icon="grid">{t.live.grids}</Button>
      </Menu>
      {open === 'save' && <SaveDialog current={current} onClose={close} />}
      {open === 'manage' && <ManageDialog onDelete={setOpen} onClose={close} />}
      {typeof open === 'object' && <DeleteDialog grid={open} onClose={close} />}
    </>
  );
}

/** Those that the person may share and delete. */
function useChangeable(): Grid[] {
  const admin = useMay('admin');
  return (useQuery(allGrids).data ?? []).filter(({ isMine }) => isMine || admin);
}

function useReread(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ['grids'] });
}

function SaveDialog({ current, onClose }: { current: Arrangement; onClose: () => void }) {
  const grids = useQuery(allGrids).data ?? [];
  const cameras = useQuery(allCameras).data ?? [];
  const operator = useMay('operator');
  const reread = useReread();
  const [name, setName] = useState('');
  const [shared, setShared] = useState<boolean | null>(null);
  const wanted = name.trim();
  const same = grids.find((grid) => grid.isMine && grid.name === wanted);
  const isShared = shared ?? same?.isShared ?? false;
  const saving = useMutation({
    mutationFn: () => {
      const places = placesFor(current, (id) => cameras.some((each) => each.id === id));
      const params = { ...places, ...(operator ? { isShared } : {}) };
      return same === undefined ? client.grids.create({ name: wanted, ...params }) : client.grids.update(same.id, params);
    },
    onSuccess: async (grid) => {
      await reread();
      tell(t.live.saved(grid.name));
      onClose();
    },
  });
  return (
    <Dialog title={t.live.save} isOpen onClose={onClose} size="s">
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          if (wanted !== '') saving.mutate();
        }}
      >
        <TextField label={t.live.saveName} value={name} onChange={setName} hint={same && t.live.saveOver} maxLength={100} isRequired autoFocus />
        {operator && (
          <Switch value={isShared} onChange={setShared}>
            {t.live.share}
          </Switch>
        )}
        {saving.isError && <ErrorNote error={saving.error} />}
        <div className="row">
          <Button type="submit" kind="primary" isDisabled={wanted === ''} isPending={saving.isPending}>
            {t.form.save}
          </Button>
          <Button onPress={onClose}>{t.form.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function ManageDialog({ onDelete, onClose }: { onDelete: (grid: Grid) => void; onClose: () => void }) {
  const list = useQuery(allGrids);
  const changeable = useChangeable();
  const operator = useMay('operator');
  const reread = useReread();
  const sharing = useMutation({
    mutationFn: ({ grid, isShared }: { grid: Grid; isShared: boolean }) => client.grids.update(grid.id, { isShared }),
    onSettled: reread,
  });
  const asked = sharing.isPending ? sharing.variables : null;
  return (
    <Dialog title={operator ? t.live.manage : t.live.manageOwn} isOpen onClose={onClose}>
      <div className="stack">
        {list.isPending && <Skeleton kind="rows" count={2} />}
        {list.isError && <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />}
        <ul>
          {changeable.map((grid) => (
            <li key={grid.id} className="grid-row">
              <span className="grow stack tight">
                <span className="cut">{grid.name}</span>
                {!grid.isMine && <span className="small faint">{t.live.notYours}</span>}
              </span>
              {operator && (
                <Switch value={asked?.grid.id === grid.id ? asked.isShared : grid.isShared} onChange={(isShared) => sharing.mutate({ grid, isShared })}>
                  <span className="only-heard">{t.live.shareGrid(grid.name)}</span>
                  <span aria-hidden="true">{t.live.shareShort}</span>
                </Switch>
              )}
              <IconButton icon="trash" label={t.live.remove(grid.name)} onPress={() => onDelete(grid)} />
            </li>
          ))}
        </ul>
        {sharing.isError && <ErrorNote error={sharing.error} />}
      </div>
    </Dialog>
  );
}

function DeleteDialog({ grid, onClose }: { grid: Grid; onClose: () => void }) {
  const reread = useReread();
  return (
    <Deletion
      title={t.live.remove(grid.name)}
      detail={grid.isShared ? t.live.removeShared : t.live.removeDetail}
      onClose={onClose}
      remove={() => client.grids.delete(grid.id)}
      onDeleted={async () => {
        await reread();
        tell(t.live.removed(grid.name));
        onClose();
      }}
    />
  );
}
