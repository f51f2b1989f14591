/** A gateway's numbers over time, one small plot each, all from nought. */
import type { TelemetryPoint } from '@novavms/sdk';
import { t } from '../text';
import { bytes } from '../text/when';

interface Series {
  name: string;
  values: readonly (number | null)[];
  /** The axis' upper end; the largest value where there is none. */
  top?: number;
  tell: (value: number) => string;
}

/** Bytes a second between two points: the gateway tells a sum. It begins anew with the program. */
function rates(points: readonly TelemetryPoint[]): (number | null)[] {
  return points.map((point, index) => {
    const before = points[index - 1];
    if (before?.bytesReceived === undefined || point.bytesReceived === undefined) return null;
    const sec = (Date.parse(point.at) - Date.parse(before.at)) / 1_000;
    return sec > 0 && point.bytesReceived >= before.bytesReceived ? (point.bytesReceived - before.bytesReceived) / sec : null;
  });
}

const whole = (value: number) => value.toFixed(0);

function series(points: readonly TelemetryPoint[]): Series[] {
  const of = (pick: (point: TelemetryPoint) => number | undefined) => points.map((point) => pick(point) ?? null);
  const last = points.at(-1);
  return [
    { name: t.gateways.plots.cpu, values: of(({ cpuPercent }) => cpuPercent), tell: (value) => t.unit.percent(value.toFixed(1)) },
    { name: t.gateways.plots.received, values: rates(points), tell: (value) => t.gateways.perSec(bytes(value)) },
    { name: t.gateways.plots.memory, values: of(({ memoryBytes }) => memoryBytes), tell: bytes },
    { name: t.gateways.plots.disk, values: of(({ diskFreeBytes }) => diskFreeBytes), top: last?.diskTotalBytes, tell: bytes },
    { name: t.gateways.plots.cameras, values: of(({ camerasOnline }) => camerasOnline), top: last?.camerasTotal, tell: whole },
    { name: t.gateways.plots.waiting, values: of(({ clipsWaiting }) => clipsWaiting), tell: whole },
  ];
}

export function Plots({ points }: { points: readonly TelemetryPoint[] }) {
  return (
    <div className="plots">
      {series(points).map((each) => (
        <Plot key={each.name} {...each} />
      ))}
    </div>
  );
}

function Plot({ name, values, top, tell }: Series) {
  const known = values.filter((value) => value !== null);
  const now = values.at(-1) ?? undefined;
  const highest = Math.max(top ?? 0, ...known, Number.MIN_VALUE) * (top === undefined ? 1.15 : 1);
  const step = 100 / Math.max(1, values.length - 1);
  const dots = values
    .map((value, index) => (value === null ? null : `${(index * step).toFixed(2)},${(100 - (value / highest) * 100).toFixed(2)}`))
    .filter((dot) => dot !== null);
  const told = now === undefined ? '–' : tell(now);
  const first = dots[0]?.split(',')[0] ?? '0';
  return (
    <figure className="plot">
      <figcaption className="plot-head">
        <span className="small quiet">{name}</span>
        <strong className="number small">{told}</strong>
      </figcaption>
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label={t.gateways.plotOf(name, told)}>
        {dots.length > 1 && <polygon className="area" points={`${first},100 ${dots.join(' ')} ${dots.at(-1)?.split(',')[0]},100`} />}
        {dots.length > 1 && <polyline className="line" points={dots.join(' ')} />}
      </svg>
    </figure>
  );
}
