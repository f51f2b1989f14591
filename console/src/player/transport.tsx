/** What reviewing is done with, of one video or of several: pause, ten seconds either way, frame by frame, speed; and its keys. */
import type { ReactNode } from 'react';
import { Button, IconButton, Select } from '../design/controls';
import { t } from '../text';
import { useKeys } from './keys';
import './player.css';

const SPEEDS = ['0.25', '0.5', '1', '2', '4', '8'] as const;
export type Speed = (typeof SPEEDS)[number];

export function Transport({
  paused,
  speed,
  onToggle,
  onJump,
  onStep,
  onSpeed,
  onFill,
  keys = {},
  told,
  children,
}: {
  paused: boolean;
  speed: Speed;
  onToggle: () => void;
  onJump: (sec: number) => void;
  onStep: (direction: 1 | -1) => void;
  onSpeed: (speed: Speed) => void;
  /** Over the whole screen, and back. */
  onFill: () => void;
  keys?: Readonly<Record<string, () => void>>;
  /** What is shown beside the buttons: the time. */
  told?: ReactNode;
  children?: ReactNode;
}) {
  const jump = (sec: number) => () => onJump(sec);
  const step = (direction: 1 | -1) => () => onStep(direction);
  useKeys({ ' ': onToggle, k: onToggle, j: jump(-10), l: jump(10), ',': step(-1), '.': step(1), f: onFill, ...keys });
  return (
    <div className="player-controls">
      <IconButton icon={paused ? 'play' : 'pause'} label={paused ? t.events.player.play : t.events.player.pause} onPress={onToggle} />
      <Button kind="quiet" small onPress={jump(-10)} aria-label={t.events.player.back10}>
        {t.events.player.minus10}
      </Button>
      <IconButton icon="frameBack" label={t.events.player.frameBack} onPress={step(-1)} />
      <IconButton icon="frameOn" label={t.events.player.frameOn} onPress={step(1)} />
      <Button kind="quiet" small onPress={jump(10)} aria-label={t.events.player.on10}>
        {t.events.player.plus10}
      </Button>
      {told !== undefined && <span className="number small quiet player-time">{told}</span>}
      <span className="grow" />
      <Select bare label={t.events.player.speed} value={speed} onChange={onSpeed} options={SPEEDS.map((id) => ({ id, label: `${id}×` }))} />
      {children}
      <IconButton icon="screen" label={t.events.player.fullscreen} onPress={onFill} />
    </div>
  );
}
