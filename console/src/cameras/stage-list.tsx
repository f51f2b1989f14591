/** The stages of a connection check: passed, running, to come, failed. */
import type { CheckReport, CheckStage } from '@novavms/sdk';
import { Icon } from '../design/icons';
import { Note } from '../design/surfaces';
import { t } from '../text';

export function StageList({ stages, expected, running }: { stages: readonly CheckStage[]; expected: readonly string[]; running: boolean }) {
  const failed = stages.some(({ ok }) => ok === false);
  const seen = new Set(stages.map(({ name }) => name));
  const toCome = failed || !running ? [] : expected.filter((name) => !seen.has(name));
  return (
    <ol className="stages" aria-live="polite">
      {stages.map((stage) => (
        <li key={stage.name} className={`stage${stage.ok === false ? ' failed' : ''}`}>
          <span className="stage-mark">
            <Icon name={stage.ok === false ? 'close' : 'check'} size={14} />
          </span>
          <span className="grow">{t.cameras.stage[stage.name] ?? stage.name}</span>
          {stage.ms !== undefined && <span className="small faint number">{t.unit.ms(Math.max(1, Math.round(stage.ms)))}</span>}
        </li>
      ))}
      {toCome.map((name, index) => (
        <li key={name} className={`stage ${index === 0 ? 'running' : 'to-come'}`}>
          <span className="stage-mark">{index === 0 && <span className="spinner" />}</span>
          <span>{t.cameras.stage[name] ?? name}</span>
        </li>
      ))}
    </ol>
  );
}

/** Why a check failed, and what to do about it. */
export function CheckVerdict({ report }: { report: CheckReport }) {
  return (
    <div role="alert">
      <Note tone="bad" icon="warn">
        <p>
          <strong>{report.message}</strong>
        </p>
        {report.hint !== null && report.hint !== undefined && <p className="quiet">{report.hint}</p>}
      </Note>
    </div>
  );
}

export function Warnings({ report }: { report: CheckReport }) {
  const told = (report.warnings ?? []).filter(({ message }) => message !== undefined && message !== '');
  if (told.length === 0) return null;
  return (
    <Note tone="warn" icon="warn">
      {told.map(({ code, message }) => (
        <p key={code}>{message}</p>
      ))}
    </Note>
  );
}
