import { type AdapterModule, contractVersion } from '../backend/adapter.js';

/** What a module exports, once it is known to be an adapter; else what is wrong with it, as the end of a sentence. */
export type Shape = { readonly module: AdapterModule<unknown> } | { readonly fault: string };

const optionalFunctions = ['declared', 'refusesForeignIds', 'excludes', 'draft'] as const;
const howTo = 'Its default export is to be what defineAdapter of "scimbridge/adapter" gives.';

/** @param exports the namespace of the module */
export function shapeOf(exports: unknown): Shape {
  try {
    const candidate = candidateOf(exports);
    return candidate === undefined ? { fault: `exports no adapter. ${howTo}` } : check(candidate);
  } catch {
    return { fault: `exports something that cannot be read. ${howTo}` };
  }
}

type Fields = Readonly<Record<string, unknown>>;

function candidateOf(exports: unknown): Fields | undefined {
  if (!isFields(exports)) return undefined;
  const isCandidate = (value: unknown): value is Fields => isFields(value) && 'contractVersion' in value;
  // A CommonJS module compiled from an ES module has its default export one level further down.
  const nested = isFields(exports.default) ? exports.default.default : undefined;
  return [exports.default, nested, ...Object.values(exports)].find(isCandidate);
}

function check(candidate: Fields): Shape {
  const { contractVersion: version, configSchema, open } = candidate;
  if (version !== contractVersion) {
    return {
      fault: `is written for version ${String(version)} of the adapter contract, and this program has version ${contractVersion}: take a version of the module that fits.`,
    };
  }
  if (typeof open !== 'function') return { fault: `has no function "open". ${howTo}` };
  if (!isFields(configSchema)) return { fault: `has no JSON Schema in "configSchema". ${howTo}` };
  if (isFields(configSchema.properties) && 'type' in configSchema.properties) {
    return {
      fault: 'describes "type" in its configSchema: that key says which module it is, and the adapter never sees it.',
    };
  }
  const odd = optionalFunctions.find((name) => candidate[name] !== undefined && typeof candidate[name] !== 'function');
  if (odd !== undefined) return { fault: `has a "${odd}" that is no function.` };
  if (![undefined, 'operations', 'requests'].includes(candidate.pacedBy as undefined)) {
    return { fault: 'has a "pacedBy" that is neither "operations" nor "requests".' };
  }
  if (![undefined, 'backend', 'adapter'].includes(candidate.retryAfter as undefined)) {
    return { fault: 'has a "retryAfter" that is neither "backend" nor "adapter".' };
  }
  return { module: candidate as unknown as AdapterModule };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
