/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */
import type { Operation } from '../operation.js';
import type { RequestOptions } from '../options.js';
import type { ApiPromise, PagePromise } from '../promise.js';
import { Resource } from '../resource.js';
import type { DiscoverRequest, Discovered, Gateway, GatewayUpdate, ListGatewayTelemetryParams, ListGatewaysParams, PairRequest, Paired, PairingCode, PairingCodeCreate, TelemetryPoint } from './types.js';

const listGateways: Operation = {
  id: 'listGateways',
  method: 'GET',
  path: '/gateways',
  query: ['cursor', 'limit', 'site_id', 'status'],
  output: { data: { hardware: 0 } },
  reply: 'json',
};

const generatePairingCode: Operation = {
  id: 'generatePairingCode',
  method: 'POST',
  path: '/gateways/generate-pairing-code',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const pairGateway: Operation = {
  id: 'pairGateway',
  method: 'POST',
  path: '/gateways/pair',
  hasBody: true,
  open: true,
  reply: 'json',
};

const getGateway: Operation = {
  id: 'getGateway',
  method: 'GET',
  path: '/gateways/{}',
  output: { hardware: 0 },
  reply: 'json',
};

const updateGateway: Operation = {
  id: 'updateGateway',
  method: 'PATCH',
  path: '/gateways/{}',
  hasBody: true,
  output: { hardware: 0 },
  reply: 'json',
};

const deleteGateway: Operation = {
  id: 'deleteGateway',
  method: 'DELETE',
  path: '/gateways/{}',
  reply: 'none',
};

const discoverCameras: Operation = {
  id: 'discoverCameras',
  method: 'POST',
  path: '/gateways/{}/discover',
  hasBody: true,
  keyed: true,
  reply: 'json',
};

const listGatewayTelemetry: Operation = {
  id: 'listGatewayTelemetry',
  method: 'GET',
  path: '/gateways/{}/telemetry',
  query: ['cursor', 'limit'],
  reply: 'json',
};

/** Our boxes on site: they find, check, watch and record cameras. */
export class GatewaysResource extends Resource {
  /**
   * List gateways.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.gateways.list()) console.log(item);
   * ```
   */
  list(params?: ListGatewaysParams, options?: RequestOptions): PagePromise<Gateway> {
    return this.pages(listGateways, [], params, options);
  }

  /**
   * Make a code that pairs a gateway.
   *
   * For a new gateway (`name`, `siteId`), or with `gatewayId` for new hardware of one that exists.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.gateways.generatePairingCode({ name: 'Harbour box', siteId: '0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e' });
   * ```
   */
  generatePairingCode(params: PairingCodeCreate, options?: RequestOptions): ApiPromise<PairingCode> {
    return this.call(generatePairingCode, [], params, options);
  }

  /**
   * Spend a pairing code.
   *
   * Called by the gateway itself. Works once; the token is shown once.
   *
   * @example
   * ```ts
   * const answer = await novavms.gateways.pair({
   *   pairingCode: 'A7B3CX',
   *   version: '0.1.0',
   *   hardware: { hostname: 'nvr-harbour', cpuCount: 4 },
   * });
   * ```
   */
  pair(params: PairRequest, options?: RequestOptions): ApiPromise<Paired> {
    return this.call(pairGateway, [], params, options);
  }

  /**
   * Get a gateway.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.gateways.get(id);
   * ```
   */
  get(id: string, options?: RequestOptions): ApiPromise<Gateway> {
    return this.call(getGateway, [id], undefined, options);
  }

  /**
   * Rename a gateway.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.gateways.update(id, { name: 'Harbour box' });
   * ```
   */
  update(id: string, params: GatewayUpdate, options?: RequestOptions): ApiPromise<Gateway> {
    return this.call(updateGateway, [id], params, options);
  }

  /**
   * Remove a gateway.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * await novavms.gateways.delete(id);
   * ```
   */
  delete(id: string, options?: RequestOptions): ApiPromise<void> {
    return this.call(deleteGateway, [id], undefined, options);
  }

  /**
   * Find ONVIF cameras on the gateway's network.
   *
   * Needs the role operator or higher.
   *
   * @example
   * ```ts
   * const answer = await novavms.gateways.discover(id, { hosts: ['10.0.0.63'], ports: [2020], timeoutSec: 4 });
   * ```
   */
  discover(id: string, params?: DiscoverRequest, options?: RequestOptions): ApiPromise<Discovered> {
    return this.call(discoverCameras, [id], params, options);
  }

  /**
   * How a gateway was, minute by minute.
   *
   * Needs the role viewer or higher.
   *
   * @example
   * ```ts
   * for await (const item of novavms.gateways.telemetry(id)) console.log(item);
   * ```
   */
  telemetry(id: string, params?: ListGatewayTelemetryParams, options?: RequestOptions): PagePromise<TelemetryPoint> {
    return this.pages(listGatewayTelemetry, [id], params, options);
  }
}
