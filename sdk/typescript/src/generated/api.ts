/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import { Auth } from '../resources/auth.js';
import { Cameras } from '../resources/cameras.js';
import { Events } from '../resources/events.js';
import { Exports } from '../resources/exports.js';
import { GatewaysResource } from './gateways.js';
import { GridsResource } from './grids.js';
import { OrgResource } from './org.js';
import { ServiceAccountsResource } from './service-accounts.js';
import { SitesResource } from './sites.js';
import { Stream } from '../resources/stream.js';
import { UsersResource } from './users.js';
import { Webhooks } from '../resources/webhooks.js';
import type { Transport } from '../transport.js';

/** Every resource of the API. */
export class Api {
  /** Log in, refresh, log out, passwords. */
  readonly auth: Auth;
  /** Add a camera, and it is checked for real before you get an answer. */
  readonly cameras: Cameras;
  /** Something noticed or asked for, with at most one clip. */
  readonly events: Events;
  /** Footage as evidence: signed, and verified offline by `novavms-verify`. */
  readonly exports: Exports;
  /** Our boxes on site: they find, check, watch and record cameras. */
  readonly gateways: GatewaysResource;
  /** Which cameras stand where on a wall of live pictures, kept by name. */
  readonly grids: GridsResource;
  /** Footage as evidence: signed, and verified offline by `novavms-verify`. */
  readonly org: OrgResource;
  /** Programs that call the API, and their keys. */
  readonly serviceAccounts: ServiceAccountsResource;
  /** What footage there is, and why where there is none. */
  readonly sites: SitesResource;
  /** What happens, as it happens. */
  readonly stream: Stream;
  /** The people of the organization, and where they are logged in. */
  readonly users: UsersResource;
  /** Checking that a webhook is from NovaVMS. */
  readonly webhooks: Webhooks;

  /** Made by `createClient`. */
  constructor(transport: Transport) {
    this.auth = new Auth(transport);
    this.cameras = new Cameras(transport);
    this.events = new Events(transport);
    this.exports = new Exports(transport);
    this.gateways = new GatewaysResource(transport);
    this.grids = new GridsResource(transport);
    this.org = new OrgResource(transport);
    this.serviceAccounts = new ServiceAccountsResource(transport);
    this.sites = new SitesResource(transport);
    this.stream = new Stream(transport);
    this.users = new UsersResource(transport);
    this.webhooks = new Webhooks(transport);
  }
}
