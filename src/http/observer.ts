import { KeysUnavailableError } from '../auth/key-source.js';
import type { ScimError } from '../scim/error.js';
import { operationOf } from '../transactions/operation-name.js';
import type { RequestRecord, TransactionRecorder } from '../transactions/request-record.js';
import type { HttpGateway } from './http-gateway.js';
import type { Metrics, RefusalKind } from './metrics.js';
import type { Refusal } from './refusal-log.js';

/** Sees every request once it is answered: for the record, the metrics and the log. */
export interface Observer {
  /** Whether anybody keeps what requests meant and what backends did for them. */
  readonly isRecording: boolean;
  /** The gateway could not do what was asked: told as soon as it is known, with everything that helps. */
  failed(gateway: Pick<HttpGateway, 'log'>, record: RequestRecord, error: ScimError): void;
  answered(gateway: Pick<HttpGateway, 'log'>, record: RequestRecord, status: number): void;
}

export interface ObserverParts {
  readonly recorder?: TransactionRecorder;
  readonly metrics?: Pick<Metrics, 'gateway'>;
  readonly logRefusal: (refusal: Refusal) => void;
}

const changes: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const quietOperations: ReadonlySet<string> = new Set(['search', 'token']);

/** Nothing of what is logged comes from a body, a query or a header but the request id. */
export function createObserver({ recorder, metrics, logRefusal }: ObserverParts): Observer {
  return {
    isRecording: recorder !== undefined,

    failed({ log }, record, error) {
      if (error.cause instanceof KeysUnavailableError) {
        // Anybody can cause it, and the keys' own log says what is wrong.
        record.reason = error.cause.message;
        logRefusal(refusalOf(record));
        return;
      }
      log.error({ ...describe(record), status: error.status, err: error }, error.message);
    },

    answered({ log }, record, status) {
      const elapsedMs = performance.now() - record.startedAtMs;
      recorder?.finished(record, status);
      const meter = metrics?.gateway(record.gateway);
      const operation = operationOf(record);
      meter?.finished(operation, status, elapsedMs);
      if (status === 401 || status === 403 || status === 429) {
        meter?.refused(kindOfRefusal(status, record));
        logRefusal(refusalOf(record));
        return;
      }
      // What failed has its line already.
      if (status >= 500 && status !== 501) return;
      const isChange = changes.has(record.method) && !quietOperations.has(operation);
      const level = isChange || status >= 400 ? 'info' : 'debug';
      if (!log.isLevelEnabled(level)) return;
      log[level](
        { ...describe(record, status < 400), status, durationMs: Math.round(elapsedMs) },
        status < 400 ? 'Answered.' : 'Rejected.',
      );
      if (!log.isLevelEnabled('debug')) return;
      const { meant, dropped, backend } = record;
      if (meant !== undefined || dropped !== undefined || backend !== undefined) {
        log.debug({ requestId: record.requestId, meant, dropped, backend: inPairs(backend) }, 'In detail.');
      }
    },
  };
}

function refusalOf({ gateway, requestId, address, reason = 'refused' }: RequestRecord): Refusal {
  return { gateway, requestId, remoteAddress: address, reason };
}

/** In few words: whoever reads metrics need not know which credential it was. */
function kindOfRefusal(status: number, { reason = '', caller }: RequestRecord): RefusalKind {
  if (status === 429) return caller === undefined ? 'repeated' : 'rate';
  if (status === 403) return 'forbidden';
  if (reason === 'no Authorization header') return 'missing';
  if (/\bexpired\b/.test(reason)) return 'expired';
  return /scheme|came together/.test(reason) ? 'malformed' : 'invalid';
}

/** @param isThere the resource exists; an id that names nothing may be anything that somebody typed */
function describe(record: RequestRecord, isThere = false): object {
  const { requestId, caller, resourceType, resourceId } = record;
  return {
    requestId,
    operation: operationOf(record),
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(resourceId === undefined || !isThere ? {} : { resourceId }),
    ...(caller === undefined ? {} : { caller: caller.id }),
  };
}

function inPairs(backend: readonly (string | number)[] | undefined): readonly object[] | undefined {
  return backend?.flatMap((operation, index) =>
    index % 2 === 1 ? [] : [{ operation, durationMs: Number(Number(backend[index + 1]).toFixed(2)) }],
  );
}
