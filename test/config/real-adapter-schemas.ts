import { existsSync, readdirSync } from 'node:fs';

/** The config schemas of the adapters in `adapters/`, as `scripts/generate-schema.mjs` finds them in the built program. */
export async function realAdapterSchemas(): Promise<ReadonlyMap<string, object>> {
  const folder = new URL('../../adapters/', import.meta.url);
  const types = readdirSync(folder).filter((type) => existsSync(new URL(`${type}/config.ts`, folder)));
  const schemas = new Map<string, object>();
  for (const type of types.sort()) {
    const module = (await import(new URL(`${type}/config.ts`, folder).href)) as Readonly<Record<string, object>>;
    schemas.set(type, module[`${type}ConfigSchema`] ?? {});
  }
  return schemas;
}
