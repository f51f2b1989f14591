import { cameras } from './cameras';
import { common } from './common';
import { events } from './events';
import { gateways } from './gateways';
import { live } from './live';
import { people } from './people';
import { recordings } from './recordings';

export const en = { ...common, cameras, events, gateways, live, people, recordings };
