/**
 * Where live video goes: the one place that knows how a camera is watched now. Until `GET /cameras/{id}/live` is there, that is a new
 * picture each second; then this component asks for the protocols, plays the best, and says which one and why.
 */
import type { Camera } from '@novavms/sdk';
import { Picture } from '../cameras/picture';

export function LiveView({ camera }: { camera: Camera }) {
  return <Picture camera={camera} width={1280} everyMs={1_000} />;
}
