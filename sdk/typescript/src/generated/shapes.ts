/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Shape } from '../casing.js';

/** Of what comes outside of answers. */
export const shapes = {
  CheckReport: { facts: 0 },
  StreamItem: {},
} satisfies Record<string, Shape>;
