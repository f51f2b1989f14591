/** The stages of a camera's check, told while the call that began it waits for its answer. @module */
import { NotFoundError } from './errors.js';
import type { CheckStage, CheckStages, GetCheckStagesParams } from './generated/types.js';
import { uuid } from './operation.js';
import type { RequestOptions, Surroundings } from './options.js';
import { ApiPromise } from './promise.js';

/** Options of a call that has a camera checked. */
export interface CheckOptions extends RequestOptions {
  /**
   * Told each stage of the check as it passes, all of them before the call's promise settles. What it throws ends the telling
   * and nothing else: a camera was added or not, whatever became of its stages.
   */
  readonly onStage?: ((stage: CheckStage) => void) | undefined;
}

/** How long the server holds a question for more stages, in seconds. */
const WAIT_SEC = 2;
const LOOK_TIMEOUT_MS = 5_000;
const FIRST_PAUSE_MS = 50;
const MOST_PAUSE_MS = 250;

/** Asks for the stages after those that were seen. */
export type Look = (checkId: string, params: GetCheckStagesParams, options: RequestOptions) => PromiseLike<CheckStages>;

/** What `run` gives, called with a check's id where somebody wants to be told of that check. */
export function followed<T, P extends { checkId?: string | undefined }>(
  around: Surroundings,
  look: Look,
  params: P,
  options: CheckOptions | undefined,
  run: (params: P, options: RequestOptions | undefined) => ApiPromise<T>,
): ApiPromise<T> {
  const onStage = options?.onStage;
  if (onStage === undefined) return run(params, options);
  const checkId = params.checkId ?? uuid();
  const state = { over: false };
  const telling = tell(around, look, checkId, onStage, state, options?.signal).catch(() => undefined);
  const ended = async () => {
    state.over = true;
    await telling;
  };
  return new ApiPromise(run({ ...params, checkId }, options).withResponse().finally(ended));
}

async function tell(
  around: Surroundings,
  look: Look,
  checkId: string,
  onStage: (stage: CheckStage) => void,
  state: { over: boolean },
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let seen = 0, pause = FIRST_PAUSE_MS; ; ) {
    const last = state.over;
    let answer: CheckStages;
    try {
      answer = await look(checkId, { after: seen, waitSec: last ? 0 : WAIT_SEC }, { signal, timeout: LOOK_TIMEOUT_MS, maxRetries: 0 });
    } catch (error) {
      // It did not begin yet; or the server refused the call before.
      if (!(error instanceof NotFoundError) || last) throw error;
      await around.pause(pause, signal);
      pause = Math.min(pause * 1.5, MOST_PAUSE_MS);
      continue;
    }
    answer.stages.forEach(onStage);
    seen = answer.next;
    if (answer.ended || last) return;
  }
}
