import { builtInText } from '../../../config/built-in.js';
import type { TestGateway } from '../gateway.js';
import { startServer } from '../in-process-server.js';
import type { TargetAnswer, TargetRequest } from './http-exchange.js';
import { type HttpTarget, startHttpTarget } from './http-target.js';

/** A second gateway with a managed store, on a port of its own. */
export interface ScimTarget extends HttpTarget {
  readonly baseUrl: string;
  readonly token: string;
  /** The target asked directly. */
  readonly gateway: TestGateway;
}

/** @param config the target's gateway.yaml; without one the built-in configuration with nothing beyond the RFCs */
export async function startScimTarget(config = builtInTarget({ strict: true })): Promise<ScimTarget> {
  const server = await startServer({ config });
  const gateway = await server.gateway();
  const { pathname } = new URL(gateway.base);
  const target = await startHttpTarget((request) => forward(gateway, request));
  return {
    ...target,
    baseUrl: target.origin + pathname,
    token: gateway.token,
    gateway,
    close: async () => {
      await target.close();
      await server.close();
    },
  };
}

/** The built-in configuration without a limit of rates. @param strict whether it takes nothing beyond the RFCs */
export function builtInTarget({ strict }: { readonly strict: boolean }): string {
  return builtInText.replace(/^( *)address: .*$/m, `$&\n$1strict: ${strict}\n$1limits: { requestsPerSecond: 0 }`);
}

const unforwarded = ['connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding'];

async function forward(gateway: TestGateway, request: TargetRequest): Promise<TargetAnswer> {
  const given = Object.entries(request.headers).filter(([name]) => !unforwarded.includes(name));
  const defaults = { authorization: null, accept: null, 'content-type': null };
  const origin = new URL(gateway.base).origin;
  const query = request.rawQuery === '' ? '' : `?${request.rawQuery}`;
  const { status, headers, text } = await gateway.request(request.method, origin + request.rawPath + query, {
    headers: { ...defaults, ...Object.fromEntries(given) },
    ...(request.body.length > 0 && { rawBody: request.body.toString() }),
  });
  return { status, headers: Object.fromEntries(headers), body: text };
}
