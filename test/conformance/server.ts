import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

/** The gateways of test/conformance/gateway.yaml; its comments say what each is for. */
export type GatewayId = 'default' | 'strict' | 'rich' | 'policy' | 'paged' | 'north' | 'south' | 'users_only';

/** A server for the tests of one file. The gateways can be read once the tests run. */
export interface ConformanceServer {
  readonly server: TestServer;
  gateway(id: GatewayId): TestGateway;
}

const config = readFileSync(join(import.meta.dirname, 'gateway.yaml'), 'utf8');

export function useServer(...ids: readonly GatewayId[]): ConformanceServer {
  let server: TestServer | undefined;
  const gateways = new Map<GatewayId, TestGateway>();
  beforeAll(async () => {
    server = await startServer({ config });
    for (const id of ids) gateways.set(id, await server.gateway(id));
  });
  afterAll(() => server?.close());
  return {
    get server() {
      if (server === undefined) throw new Error('The server is not up yet.');
      return server;
    },
    gateway: (id) => {
      const gateway = gateways.get(id);
      if (gateway === undefined) throw new Error(`useServer was not asked for the gateway "${id}".`);
      return gateway;
    },
  };
}

/** Runs a test on the default gateway and on the strict one: what the RFC says holds in both. */
export function inBoth(server: ConformanceServer, test: (gateway: TestGateway) => Promise<void>): () => Promise<void> {
  return async () => {
    for (const id of ['default', 'strict'] as const) {
      try {
        await test(server.gateway(id));
      } catch (error) {
        if (error instanceof Error) error.message = `On the gateway "${id}": ${error.message}`;
        throw error;
      }
    }
  };
}
