import { dirname, resolve } from 'node:path';
import { isObject } from '../src/scim/schema.js';
import { builtInText } from './built-in.js';
import { ConfigFiles } from './files.js';
import type { LoadOptions } from './load.js';

/** Which adapters a configuration names, to be loaded before it can be checked. */
export interface AdapterTypes {
  /** What stands in `type:`, each once. Empty for a file that cannot be read. */
  readonly types: readonly string[];
  /** Absolute: the folder of gateway.yaml. */
  readonly baseDir: string;
  /** For `loadConfig`: gateway.yaml as it was read here, so that both see the same. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Reads no more of the configuration than that. Nothing is wrong with it here: `loadConfig` tells. */
export function readAdapterTypes({
  file,
  env = process.env,
  texts,
}: Omit<LoadOptions, 'adapterSchemas'>): AdapterTypes {
  const absolute = resolve(file ?? 'gateway.yaml');
  const baseDir = dirname(absolute);
  const files = new ConfigFiles(env, texts);
  try {
    const text = file === undefined ? builtInText : files.read(absolute);
    const { json } = files.add(absolute, absolute, text);
    return { types: typesIn(json), baseDir, texts: new Map([...(texts ?? []), ...files.texts]) };
  } catch {
    return { types: [], baseDir, texts: new Map(texts ?? []) };
  }
}

function typesIn(json: unknown): readonly string[] {
  if (!isObject(json) || !isObject(json.adapters)) return [];
  const types = Object.values(json.adapters).flatMap((section) =>
    isObject(section) && typeof section.type === 'string' ? [section.type] : [],
  );
  return [...new Set(types)];
}
