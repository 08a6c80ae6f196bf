import { type Adapter, type AdapterEnvironment, type AdapterModule, contractVersion } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { ContainedAdapter } from './contained-adapter.js';
import { messageOf } from './thrown.js';

/** A backend that is down is no reason to wait: `open` only looks at its settings. */
const openTimeoutMs = 20_000;

const methods = [
  'get',
  'search',
  'scan',
  'create',
  'update',
  'delete',
  'lookup',
  'inspect',
  'describe',
  'check',
  'close',
] as const satisfies readonly (keyof Adapter)[];

/** The file of each plug-in module. */
const plugIns = new WeakMap<AdapterModule, string>();

let hasOpened = false;

/** Whether an adapter of others was ever opened here: it may have left timers or connections behind. */
export function hasOpenedPlugIn(): boolean {
  return hasOpened;
}

/** The file that the module came from; undefined for an adapter that is built in. */
export function plugInFile(module: AdapterModule): string | undefined {
  return plugIns.get(module);
}

/**
 * The module with every way to do harm taken from it that can be taken: what it throws is an Error with its name, what it
 * answers is copied and checked, and what it waits for has an end.
 * @param file where its code is
 */
export function containModule(type: string, file: string, module: AdapterModule): AdapterModule {
  const { configSchema, pacedBy, retryAfter, declared, refusesForeignIds, excludes, draft } = module;
  const contained: AdapterModule = {
    contractVersion,
    type,
    configSchema,
    ...(pacedBy && { pacedBy }),
    ...(retryAfter && { retryAfter }),
    ...(declared && {
      declared: (config: unknown) => inWords(`${type}: "declared"`, () => fieldNames(declared(config))),
    }),
    ...(refusesForeignIds && {
      refusesForeignIds: (config, entity, field) => {
        try {
          return reasonIn(refusesForeignIds(config, entity, field));
        } catch (thrown) {
          return faultIn(`${type}: "refusesForeignIds"`, thrown);
        }
      },
    }),
    ...(excludes && {
      excludes: (open, next) => inWords(`${type}: "excludes"`, () => reasonIn(excludes(open, next))),
    }),
    ...(draft && { draft }),
    open: (config, environment) => openContained(type, module, config, environment),
  };
  plugIns.set(contained, file);
  return contained;
}

async function openContained(
  type: string,
  module: AdapterModule,
  config: unknown,
  environment: AdapterEnvironment,
): Promise<Adapter> {
  const name = environment.adapter === undefined ? type : `${environment.adapter} (${type})`;
  const failed = (reason: string): AdapterError =>
    new AdapterError('unavailable', `The adapter ${name} cannot be opened: ${reason}`);
  hasOpened = true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const reason = `it was not open after ${openTimeoutMs / 1000} seconds. "open" must not wait for the backend.`;
    timer = setTimeout(() => reject(failed(reason)), openTimeoutMs);
  });
  try {
    const opening = (async () => module.open(config, environment))();
    const adapter: unknown = await Promise.race([
      opening.catch((thrown: unknown) => Promise.reject(failed(messageOf(thrown)))),
      late,
    ]);
    const missing = missingMethod(adapter);
    if (missing !== undefined) throw failed(`what its "open" gives has no method "${missing}".`);
    return new ContainedAdapter(adapter as Adapter, name, environment);
  } finally {
    clearTimeout(timer);
  }
}

function missingMethod(adapter: unknown): string | undefined {
  if (typeof adapter !== 'object' || adapter === null) return methods[0];
  return methods.find((method) => {
    try {
      return typeof (adapter as Readonly<Record<string, unknown>>)[method] !== 'function';
    } catch {
      return true;
    }
  });
}

function fieldNames(
  declared: ReadonlyMap<string, Iterable<string>> | undefined,
): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  if (declared === undefined) return undefined;
  return new Map([...declared].map(([entity, fields]) => [String(entity), new Set([...fields].map(String))]));
}

function reasonIn(answer: unknown): string | undefined {
  return answer === undefined || answer === null ? undefined : String(answer);
}

/** @throws Error that says in which part of the module the fault is */
function inWords<T>(part: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw new Error(faultIn(part, thrown));
  }
}

function faultIn(part: string, thrown: unknown): string {
  return `${part} failed, which is a fault in the module: ${messageOf(thrown)}`;
}
