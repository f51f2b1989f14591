/** The talk with the API behind "Add camera": what is asked, and the stages of the check while it runs. */
import { APIError, type CameraCreate, type CameraDetail, type CheckReport, type CheckStage } from '@novavms/sdk';
import { client } from '../api/client';

export interface Draft {
  mode: 'gateway' | 'direct';
  gatewayId: string;
  siteId: string;
  type: 'onvif' | 'rtsp';
  host: string;
  port: string;
  rtspUrl: string;
  user: string;
  password: string;
  name: string;
}

export const EMPTY_DRAFT: Draft = {
  mode: 'gateway',
  gatewayId: '',
  siteId: '',
  type: 'onvif',
  host: '',
  port: '80',
  rtspUrl: '',
  user: '',
  password: '',
  name: '',
};

/** The stages that a check of this kind usually has, to show what is still to come. */
export function expectedStages(type: Draft['type']): readonly string[] {
  return type === 'onvif'
    ? ['resolve', 'connect', 'clock', 'login', 'identity', 'profiles', 'describe', 'media']
    : ['resolve', 'connect', 'describe', 'media'];
}

export function isReady(draft: Draft): boolean {
  const where = draft.mode === 'gateway' ? draft.gatewayId !== '' : draft.siteId !== '';
  if (draft.type === 'rtsp') return where && /^rtsps?:\/\/.+/.test(draft.rtspUrl.trim());
  return where && draft.host.trim() !== '' && draft.port !== '' && draft.user !== '' && draft.password !== '';
}

export function addressOf(draft: Draft): string {
  if (draft.type === 'onvif') return draft.host.trim();
  try {
    return new URL(draft.rtspUrl.trim().replace(/^rtsps?:/, 'http:')).hostname;
  } catch {
    return draft.rtspUrl.trim();
  }
}

function bodyOf(draft: Draft, name: string): CameraCreate {
  const { mode, type } = draft;
  const place = mode === 'gateway' ? { gatewayId: draft.gatewayId } : {};
  const common = { connectionMode: mode, siteId: draft.siteId, name, type, ...place };
  if (type === 'rtsp') {
    return {
      ...common,
      rtspUrl: draft.rtspUrl.trim(),
      rtspUsername: draft.user === '' ? undefined : draft.user,
      rtspPassword: draft.password === '' ? undefined : draft.password,
    };
  }
  return { ...common, host: draft.host.trim(), port: Number(draft.port), onvifUsername: draft.user, onvifPassword: draft.password };
}

/** The check failed; `report` says where and why. */
export class CheckFailure extends Error {
  readonly report: CheckReport;

  constructor(report: CheckReport) {
    super(report.message ?? 'the check failed');
    this.report = report;
  }
}

/**
 * Has the camera checked and added. `onStage` hears of each stage as it passes. Throws CheckFailure, or what the API says.
 * A direct camera is tested first: its own check runs after it was added, where nobody would see it.
 */
export async function addCamera(draft: Draft, name: string, onStage: (stage: CheckStage) => void): Promise<CameraDetail> {
  const ending = new AbortController();
  const checkId = crypto.randomUUID();
  const stages = followStages(checkId, onStage, ending.signal);
  const body = bodyOf(draft, name);
  try {
    if (draft.mode === 'gateway') return await client.cameras.create({ ...body, checkId });
    const report = await client.cameras.test({ ...body, checkId });
    if (!report.ok) throw new CheckFailure(report);
    return await client.cameras.create(body);
  } catch (error) {
    throw error instanceof APIError && error.check !== null ? new CheckFailure({ ...error.check, message: error.message }) : error;
  } finally {
    ending.abort();
    await stages;
  }
}

async function followStages(checkId: string, onStage: (stage: CheckStage) => void, signal: AbortSignal): Promise<void> {
  let after = 0;
  while (!signal.aborted) {
    try {
      const told = await client.cameras.checkStages(checkId, { after, waitSec: 10 }, { signal, maxRetries: 0 });
      told.stages.forEach(onStage);
      after = told.next;
      if (told.ended) return;
    } catch {
      // not begun yet, or no answer: the report comes with the request itself anyway
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }
}
