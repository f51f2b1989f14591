/** Change a camera. What needs a new check at the camera says so, and what the check said is shown where it fails. */
import { APIError, type Camera, type CameraUpdate } from '@novavms/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import { allSites } from '../api/queries';
import { Button, PasswordField, Select, TextField } from '../design/controls';
import { Dialog, ErrorNote } from '../design/surfaces';
import { tell } from '../design/toasts';
import { t } from '../text';
import { CheckVerdict, StageList } from './stage-list';

const MODES = ['off', 'continuous', 'events'] as const;

export function EditDialog({ camera, isOpen, onClose }: { camera: Camera; isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title={t.cameras.editTitle(camera.name)} isOpen={isOpen} onClose={onClose} size="l">
      <Fields camera={camera} onClose={onClose} />
    </Dialog>
  );
}

function Fields({ camera, onClose }: { camera: Camera; onClose: () => void }) {
  const sites = useQuery(allSites).data ?? [];
  const queries = useQueryClient();
  const [name, setName] = useState(camera.name);
  const [siteId, setSiteId] = useState(camera.siteId);
  const [recordingMode, setRecordingMode] = useState(camera.recordingMode);
  const [retention, setRetention] = useState(String(camera.retentionDays));
  const [host, setHost] = useState(camera.host);
  const [port, setPort] = useState(String(camera.port));
  const [rtspUrl, setRtspUrl] = useState(camera.rtspUrl ?? '');
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');

  const wanted: CameraUpdate = {
    ...(name.trim() !== camera.name && { name: name.trim() }),
    ...(siteId !== camera.siteId && { siteId }),
    ...(recordingMode !== camera.recordingMode && { recordingMode }),
    ...(Number(retention) !== camera.retentionDays && { retentionDays: Number(retention) }),
    ...(camera.type === 'onvif'
      ? {
          ...(host !== camera.host && { host }),
          ...(Number(port) !== camera.port && { port: Number(port) }),
          ...(user !== '' && { onvifUsername: user }),
          ...(password !== '' && { onvifPassword: password }),
        }
      : {
          ...(rtspUrl !== (camera.rtspUrl ?? '') && { rtspUrl }),
          ...(user !== '' && { rtspUsername: user }),
          ...(password !== '' && { rtspPassword: password }),
        }),
  };
  const checked = 'host' in wanted || 'port' in wanted || 'rtspUrl' in wanted || user !== '' || password !== '';
  const saving = useMutation({
    mutationFn: () => client.cameras.update(camera.id, wanted),
    onSuccess: (saved) => {
      queries.setQueryData(['cameras', 'one', camera.id], saved);
      void queries.invalidateQueries({ queryKey: ['cameras'] });
      tell(t.cameras.saved(saved.name));
      onClose();
    },
  });
  const report = saving.error instanceof APIError ? saving.error.check : null;
  return (
    <form
      className="stack"
      onSubmit={(submit) => {
        submit.preventDefault();
        saving.mutate();
      }}
    >
      <div className="two">
        <TextField label={t.cameras.edit.name} value={name} onChange={setName} maxLength={100} isRequired />
        <Select label={t.cameras.edit.site} value={siteId} onChange={setSiteId} options={sites.map(({ id, name: label }) => ({ id, label }))} />
        <Select
          label={t.cameras.edit.recordingMode}
          value={recordingMode}
          onChange={setRecordingMode}
          options={MODES.map((id) => ({ id, label: t.cameras.recordingMode[id] }))}
        />
        <TextField
          label={t.cameras.edit.retention}
          value={retention}
          onChange={(days) => setRetention(days.replace(/\D/g, '').slice(0, 4))}
          inputMode="numeric"
        />
      </div>
      <h3>{t.cameras.edit.credentials}</h3>
      <p className="small quiet">{t.cameras.edit.credentialsHint}</p>
      {camera.type === 'onvif' ? (
        <div className="two host-port">
          <TextField label={t.cameras.addFlow.host} value={host} onChange={setHost} mono />
          <TextField label={t.cameras.addFlow.port} value={port} onChange={(next) => setPort(next.replace(/\D/g, '').slice(0, 5))} inputMode="numeric" mono />
        </div>
      ) : (
        <TextField label={t.cameras.addFlow.rtspUrl} value={rtspUrl} onChange={setRtspUrl} mono />
      )}
      <div className="two">
        <TextField label={t.cameras.addFlow.user} value={user} onChange={setUser} autoComplete="off" />
        <PasswordField label={t.cameras.addFlow.password} value={password} onChange={setPassword} autoComplete="new-password" />
      </div>
      {saving.isPending && checked && <p className="small quiet">{t.cameras.edit.checking}</p>}
      {saving.isError && (report !== null ? <CheckVerdict report={{ ...report, message: saving.error.message }} /> : <ErrorNote error={saving.error} />)}
      {report !== null && <StageList stages={report.stages ?? []} expected={[]} running={false} />}
      <div className="row wrap">
        <Button type="submit" kind="primary" isPending={saving.isPending} isDisabled={Object.keys(wanted).length === 0 || name.trim() === ''}>
          {t.form.save}
        </Button>
        <Button onPress={onClose}>{t.form.cancel}</Button>
      </div>
    </form>
  );
}
