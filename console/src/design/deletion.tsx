/** Asks before something is deleted for good. */
import { useMutation } from '@tanstack/react-query';
import { t } from '../text';
import { Button } from './controls';
import { Dialog, ErrorNote } from './surfaces';

/** Closes by `onClose`; what has to be said or read anew then is `onDeleted`'s. */
export function Deletion({
  title,
  detail,
  isOpen = true,
  onClose,
  remove,
  onDeleted,
}: {
  title: string;
  detail: string;
  isOpen?: boolean;
  onClose: () => void;
  remove: () => Promise<unknown>;
  onDeleted: () => unknown;
}) {
  const deleting = useMutation({ mutationFn: remove, onSuccess: onDeleted });
  return (
    <Dialog
      title={title}
      isOpen={isOpen}
      onClose={onClose}
      size="s"
      alert
      actions={
        <>
          <Button onPress={onClose}>{t.form.cancel}</Button>
          <Button kind="danger" onPress={() => deleting.mutate()} isPending={deleting.isPending}>
            {t.form.delete}
          </Button>
        </>
      }
    >
      <div className="stack tight">
        <p className="quiet">{detail}</p>
        {deleting.isError && <ErrorNote error={deleting.error} />}
      </div>
    </Dialog>
  );
}
