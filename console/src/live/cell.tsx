/** One place of the wall: a camera that can be moved and enlarged, or an empty place that waits for one. */
import type { Camera, LiveTier } from '@novavms/sdk';
import { Link } from '@tanstack/react-router';
import { useState, type KeyboardEvent } from 'react';
import { ButtonLink, IconButton, Select } from '../design/controls';
import { Icon } from '../design/icons';
import { useMay } from '../session/session';
import { t } from '../text';
import { LiveView } from './live-view';

const KIND = 'application/x-novavms-place';

export function Cell({
  camera,
  place,
  places,
  tier,
  isLarge,
  isFirstEmpty,
  others,
  onLarge,
  onChoose,
  onKey,
  onDropFrom,
}: {
  camera: Camera | null;
  place: number;
  places: number;
  tier: LiveTier;
  isLarge: boolean;
  /** Says how more cameras come here. */
  isFirstEmpty: boolean;
  /** Cameras that are not on the wall. */
  others: readonly Camera[];
  onLarge: (on: boolean) => void;
  onChoose: (id: string | null) => void;
  onKey: (key: string) => void;
  onDropFrom: (place: number) => void;
}) {
  const [over, setOver] = useState(false);
  const operator = useMay('operator');
  const drop = {
    onDragOver: (event: React.DragEvent) => {
      if (!event.dataTransfer.types.includes(KIND)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: React.DragEvent) => {
      event.preventDefault();
      setOver(false);
      onDropFrom(Number(event.dataTransfer.getData(KIND)));
    },
  };
  const name = `cell${over ? ' over' : ''}${isLarge ? ' large' : ''}`;
  if (camera === null) {
    return (
      <section className={`${name} empty-cell`} aria-label={t.live.emptyCell} {...drop}>
        {others.length > 0 ? (
          <Select
            bare
            label={t.live.choose}
            placeholder={t.live.choose}
            value={null}
            onChange={onChoose}
            options={others.map(({ id, name: label }) => ({ id, label }))}
          />
        ) : (
          <>
            <Icon name="camera" size={26} />
            {operator && isFirstEmpty && (
              <ButtonLink to="/cameras/add" kind="quiet" small icon="add">
                {t.cameras.add}
              </ButtonLink>
            )}
          </>
        )}
      </section>
    );
  }
  const keys = (event: KeyboardEvent) => {
    if (!event.key.startsWith('Arrow')) return;
    event.preventDefault();
    onKey(event.key);
  };
  return (
    // the double click is a short cut: there is a button for it
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <section className={name} aria-label={camera.name} data-camera={camera.id} onDoubleClick={() => onLarge(!isLarge)} {...drop}>
      <LiveView
        camera={camera}
        tier={tier}
        head={
          <>
            <Link to="/cameras/$cameraId" params={{ cameraId: camera.id }} className="live-name cut">
              {camera.name}
            </Link>
            <span className="grow" />
            {places > 1 && !isLarge && (
              <button
                type="button"
                className="live-handle"
                draggable
                aria-label={t.live.move(camera.name, place + 1, places)}
                onKeyDown={keys}
                onDragStart={(event) => {
                  event.dataTransfer.setData(KIND, String(place));
                  event.dataTransfer.effectAllowed = 'move';
                }}
              >
                <Icon name="move" size={16} />
              </button>
            )}
          </>
        }
        actions={
          <>
            {places > 1 && <IconButton icon={isLarge ? 'shrink' : 'expand'} label={isLarge ? t.live.shrink : t.live.expand} onPress={() => onLarge(!isLarge)} />}
            {!isLarge && places > 1 && <IconButton icon="close" label={t.live.takeAway} onPress={() => onChoose(null)} />}
          </>
        }
      />
    </section>
  );
}
