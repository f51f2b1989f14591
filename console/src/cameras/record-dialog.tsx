/** The Record Clip button's dialog: length and note. */
import type { Camera } from '@novavms/sdk';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { client } from '../api/client';
import { Button, Segmented, TextArea } from '../design/controls';
import { Dialog, ErrorNote } from '../design/surfaces';
import { tell } from '../design/toasts';
import { t } from '../text';

const LENGTHS = ['5', '10', '15', '30', '60'] as const;

interface Props {
  camera: Camera;
  onClose: () => void;
  /** Who shows the clip's progress hears of it here; else a word with a link is shown. */
  onStarted?: ((eventId: string) => void) | undefined;
}

export function RecordDialog({ isOpen, ...rest }: Props & { isOpen: boolean }) {
  return (
    <Dialog title={t.cameras.recordTitle(rest.camera.name)} isOpen={isOpen} onClose={rest.onClose}>
      <Fields {...rest} />
    </Dialog>
  );
}

function Fields({ camera, onClose, onStarted }: Props) {
  const [length, setLength] = useState<(typeof LENGTHS)[number]>('15');
  const [note, setNote] = useState('');
  const navigate = useNavigate();
  const recording = useMutation({
    mutationFn: () => client.cameras.triggerRecording(camera.id, { durationSec: Number(length), note: note.trim() || undefined }, { maxRetries: 0 }),
    onSuccess: ({ eventId }) => {
      onClose();
      if (onStarted !== undefined) {
        onStarted(eventId);
        return;
      }
      tell(t.cameras.recording(camera.name), {
        action: { label: t.cameras.openEvent, act: () => void navigate({ to: '/events/$eventId', params: { eventId } }) },
      });
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(submit) => {
        submit.preventDefault();
        recording.mutate();
      }}
    >
      <div className="field">
        <span className="label">{t.cameras.recordLength}</span>
        <Segmented
          label={t.cameras.recordLength}
          value={length}
          onChange={setLength}
          options={LENGTHS.map((id) => ({ id, label: t.time.sec(Number(id)) }))}
        />
        <span className="hint">{t.cameras.recordLengthHint}</span>
      </div>
      <TextArea label={t.cameras.recordNote} value={note} onChange={setNote} maxLength={500} hint={t.cameras.recordNoteHint} />
      {recording.isError && <ErrorNote error={recording.error} />}
      <div className="row wrap">
        <Button type="submit" kind="danger" icon="record" isPending={recording.isPending}>
          {t.cameras.recordStart}
        </Button>
        <Button onPress={onClose}>{t.form.cancel}</Button>
      </div>
    </form>
  );
}
