/** Add a camera: how it is connected, found or typed in, checked before one's eyes, named; and the next. */
import type { CameraDetail, CheckStage } from '@novavms/sdk';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { client } from '../api/client';
import { allCameras, camera as cameraQuery } from '../api/queries';
import { Button, ButtonLink, TextField } from '../design/controls';
import { Card, ErrorNote, Forbidden, Page } from '../design/surfaces';
import { tellError } from '../design/toasts';
import { LiveView } from '../live/live-view';
import { useEscape } from '../player/keys';
import { useMay } from '../session/session';
import { t } from '../text';
import { AddForm, type FoundDevice } from './add-form';
import { addCamera, addressOf, CheckFailure, EMPTY_DRAFT, expectedStages, type Draft } from './adding';
import { CheckVerdict, StageList, Warnings } from './stage-list';
import './cameras.css';

type Step =
  | { at: 'form'; again?: boolean }
  | { at: 'checking'; stages: readonly CheckStage[] }
  | { at: 'failed'; stages: readonly CheckStage[]; error: unknown }
  | { at: 'added'; camera: CameraDetail };

export function AddCameraPage() {
  return useMay('operator') ? <AddCamera /> : <Forbidden icon="camera" title={t.cameras.addFlow.title} />;
}

function AddCamera() {
  const { gateway } = useSearch({ from: '/cameras/add' });
  const [draft, setDraft] = useState<Draft>({ ...EMPTY_DRAFT, gatewayId: gateway ?? '' });
  const [step, setStep] = useState<Step>({ at: 'form' });
  const [found, setFound] = useState<readonly FoundDevice[] | null>(null);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const untouched = step.at === 'form' && draft.host + draft.rtspUrl + draft.user + draft.password === '';
  useEscape(untouched ? () => void navigate({ to: '/cameras' }) : null);
  const change = (more: Partial<Draft>) => setDraft((known) => ({ ...known, ...more }));

  async function submit(): Promise<void> {
    let stages: readonly CheckStage[] = [];
    setStep({ at: 'checking', stages });
    const onStage = (stage: CheckStage) => {
      stages = [...stages, stage];
      setStep({ at: 'checking', stages });
    };
    try {
      const name = draft.name.trim() || t.cameras.addFlow.defaultName(addressOf(draft));
      const camera = await addCamera(draft, name.slice(0, 100), onStage);
      setStep({ at: 'added', camera });
      void queries.invalidateQueries({ queryKey: ['cameras'] });
    } catch (error) {
      const told = error instanceof CheckFailure ? error.report.stages : undefined;
      setStep({ at: 'failed', stages: told ?? stages, error });
    }
  }

  /** The login stays: cameras of one site mostly have the same. */
  function next(device?: FoundDevice): void {
    const address = device === undefined ? { host: '', port: '80', rtspUrl: '', name: '' } : draftOf(device);
    change(address);
    setStep({ at: 'form' });
  }

  return (
    <Page title={t.cameras.addFlow.title} wide={false}>
      {step.at === 'form' && (
        <AddForm again={step.again ?? false} draft={draft} change={change} found={found} setFound={setFound} onUse={(device) => change(draftOf(device))} onSubmit={() => void submit()} />
      )}
      {step.at === 'checking' && (
        <Card title={t.cameras.addFlow.checking}>
          <StageList stages={step.stages} expected={expectedStages(draft.type)} running />
        </Card>
      )}
      {step.at === 'failed' && (
        <Card title={t.cameras.addFlow.checkFailed}>
          <div className="stack">
            {step.error instanceof CheckFailure ? <CheckVerdict report={step.error.report} /> : <ErrorNote error={step.error} />}
            {step.stages.length > 0 && <StageList stages={step.stages} expected={[]} running={false} />}
            <div>
              <Button kind="primary" onPress={() => setStep({ at: 'form', again: true })} autoFocus>
                {t.cameras.addFlow.again}
              </Button>
            </div>
          </div>
        </Card>
      )}
      {step.at === 'added' && <Added made={step.camera} found={found ?? []} onNext={next} />}
    </Page>
  );
}

function draftOf(device: FoundDevice): Partial<Draft> {
  return { type: 'onvif', host: device.host, port: String(device.port), name: device.name ?? '' };
}

function Added({ made, found, onNext }: { made: CameraDetail; found: readonly FoundDevice[]; onNext: (device?: FoundDevice) => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const camera = useQuery({ ...cameraQuery(made.id), initialData: made }).data;
  const cameras = useQuery(allCameras).data ?? [];
  const [name, setName] = useState(made.name);
  const rest = found.filter(({ host, port }) => !cameras.some((known) => known.host === host && known.port === port) && host + port !== made.host + made.port);

  async function save(): Promise<boolean> {
    const wanted = name.trim();
    if (wanted === '' || wanted === camera.name) return true;
    try {
      await client.cameras.update(made.id, { name: wanted });
      void queries.invalidateQueries({ queryKey: ['cameras'] });
      return true;
    } catch (error) {
      tellError(error);
      return false;
    }
  }

  async function goOn(device?: FoundDevice): Promise<void> {
    if (await save()) onNext(device);
  }

  return (
    <Card title={t.cameras.addFlow.added}>
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          void save().then((saved) => (saved ? navigate({ to: '/cameras/$cameraId', params: { cameraId: made.id } }) : undefined));
        }}
      >
        <div className="added-picture">
          <LiveView camera={camera} tier="main" records={false} />
        </div>
        {made.check !== null && made.check !== undefined && <Warnings report={made.check} />}
        <TextField label={t.cameras.addFlow.name} value={name} onChange={setName} hint={t.cameras.addFlow.addedLead} maxLength={100} autoFocus />
        <div className="row wrap">
          <Button type="submit" kind="primary">
            {t.cameras.addFlow.finish}
          </Button>
          <Button icon="add" onPress={() => void goOn()}>
            {t.cameras.addFlow.next}
          </Button>
          <ButtonLink to="/cameras" kind="quiet">
            {t.cameras.allCameras}
          </ButtonLink>
        </div>
        {rest.length > 0 && (
          <ul className="found-list">
            {rest.slice(0, 8).map((device) => (
              <li key={`${device.host}:${device.port}`} className="found">
                <span className="grow">
                  <span className="cut">{device.name ?? device.host}</span> <span className="faint mono">{device.host}</span>
                </span>
                <Button small onPress={() => void goOn(device)}>
                  {t.cameras.addFlow.next}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </form>
    </Card>
  );
}
