/** A camera's picture of now, renewed while somebody can see it. */
import { APIError, type Camera } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { client } from '../api/client';
import { Icon } from '../design/icons';
import { t } from '../text';
import { reasonOf } from './status';
import './cameras.css';

export function useObjectUrl(blob: Blob | undefined): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (blob === undefined) {
      setUrl(null);
      return undefined;
    }
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}

/** Whether the element is, or is about to be, on the screen. */
export function useVisible<T extends Element>() {
  const ref = useRef<T>(null);
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const observer = new IntersectionObserver(([entry]) => setVisible(entry?.isIntersecting ?? false), { rootMargin: '200px' });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, visible] as const;
}

export function Picture({
  camera,
  width,
  everyMs,
  children,
}: {
  camera: Pick<Camera, 'id' | 'name' | 'status' | 'statusMessage' | 'statusReason'> & Camera;
  width: number;
  everyMs: number;
  children?: ReactNode;
}) {
  const [ref, visible] = useVisible<HTMLDivElement>();
  const online = camera.status === 'online';
  const { data, isError, isPending } = useQuery({
    queryKey: ['picture', camera.id, width],
    queryFn: ({ signal }) => client.cameras.snapshot(camera.id, { width }, { signal, maxRetries: 0 }),
    enabled: online && visible,
    staleTime: everyMs / 2,
    gcTime: 60_000,
    // a camera that has just begun shows its first picture a moment later
    refetchInterval: ({ state }) => (state.error instanceof APIError ? 2_000 : everyMs),
  });
  const url = useObjectUrl(data);
  return (
    <div className={`picture${online ? '' : ' still'}`} ref={ref}>
      {url !== null && <img src={url} alt={t.cameras.pictureOf(camera.name)} draggable={false} />}
      {(!online || (url === null && isError)) && (
        <div className={`picture-none${url === null ? '' : ' over'}`}>
          <Icon name={online ? 'camera' : 'offline'} size={26} />
          <span>{online ? t.cameras.noPicture : (reasonOf(camera) ?? t.cameras.status[camera.status])}</span>
        </div>
      )}
      {online && url === null && isPending && <span className="picture-wait" role="status" aria-label={t.cameras.loadingPicture} />}
      {children}
    </div>
  );
}
