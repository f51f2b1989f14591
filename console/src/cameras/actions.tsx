/** What can be done with a camera from wherever it is shown. */
import type { Camera } from '@novavms/sdk';
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { client } from '../api/client';
import { deletedCameras, type Slices } from '../api/queries';
import { Menu, type MenuAction } from '../design/surfaces';
import { tell, tellAndDo, tellError } from '../design/toasts';
import { useMay } from '../session/session';
import { t } from '../text';

const EditDialog = lazy(() => import('./edit-dialog').then(({ EditDialog: Found }) => ({ default: Found })));
const RecordDialog = lazy(() => import('./record-dialog').then(({ RecordDialog: Found }) => ({ default: Found })));

async function setEnabled(camera: Camera, enabled: boolean): Promise<void> {
  try {
    await client.cameras.update(camera.id, { enabled });
    tell(enabled ? t.cameras.enabled(camera.name) : t.cameras.disabled(camera.name));
  } catch (error) {
    tellError(error);
  }
}

/** Gone from the lists at once, from the server when nobody can undo it any more. */
function remove(queries: QueryClient, camera: Camera): void {
  deletedCameras.add(camera.id);
  queries.setQueryData<Camera[]>(['cameras', 'all'], (known) => known?.filter(({ id }) => id !== camera.id));
  queries.setQueriesData<Slices<Camera>>(
    { queryKey: ['cameras', 'list'] },
    (known) =>
      known && {
        ...known,
        pages: known.pages.map((page) => ({ ...page, total: page.total - 1, data: page.data.filter(({ id }) => id !== camera.id) })),
      },
  );
  tellAndDo(
    t.cameras.deleted(camera.name),
    () => client.cameras.delete(camera.id),
    () => {
      deletedCameras.delete(camera.id);
      void queries.invalidateQueries({ queryKey: ['cameras'] });
    },
  );
}

/** Its menu, and the dialogs that it opens. `onRemoved`: where to go from its own page. */
export function useCameraActions(camera: Camera | undefined, onRemoved?: () => void): { menu: ReactNode; dialogs: ReactNode; record: () => void } {
  const queries = useQueryClient();
  const operator = useMay('operator');
  const [open, setOpen] = useState<'edit' | 'record' | null>(null);
  const close = () => setOpen(null);
  if (camera === undefined || !operator) return { menu: null, dialogs: null, record: close };
  const actions: MenuAction[] = [
    { id: 'record', label: t.cameras.record, icon: 'record', act: () => setOpen('record') },
    { id: 'edit', label: t.form.edit, icon: 'edit', act: () => setOpen('edit') },
    camera.enabled
      ? { id: 'disable', label: t.cameras.disable, icon: 'pause', act: () => void setEnabled(camera, false) }
      : { id: 'enable', label: t.cameras.enable, icon: 'play', act: () => void setEnabled(camera, true) },
    {
      id: 'delete',
      label: t.form.delete,
      icon: 'trash',
      bad: true,
      act: () => {
        remove(queries, camera);
        onRemoved?.();
      },
    },
  ];
  return {
    menu: <Menu label={t.cameras.actionsFor(camera.name)} actions={camera.status === 'online' ? actions : actions.slice(1)} />,
    dialogs: (
      <Suspense>
        {open === 'edit' && <EditDialog camera={camera} isOpen onClose={close} />}
        {open === 'record' && <RecordDialog camera={camera} isOpen onClose={close} />}
      </Suspense>
    ),
    record: () => setOpen('record'),
  };
}
