import type { AdapterModule, AdapterSetup } from '../src/backend/adapter.js';

/** The adapters that are built in, by the name that `type:` has in gateway.yaml. Each is loaded when it is needed. */
export const builtInAdapters: ReadonlyMap<string, () => Promise<AdapterModule>> = new Map([
  ['memory', async () => erase((await import('./memory/adapter.js')).memoryModule)],
  ['ldap', async () => erase((await import('./ldap/module.js')).ldapModule)],
  ['postgresql', async () => erase((await import('./sql/postgresql/module.js')).postgresqlModule)],
  ['mysql', async () => erase((await import('./sql/mysql/module.js')).mysqlModule)],
  ['rest', async () => erase((await import('./rest/module.js')).restModule)],
  ['sqlite', async () => erase((await import('./sqlite/adapter.js')).sqliteModule)],
]);

/** All of them, by type. */
export async function loadAdapterModules(): Promise<ReadonlyMap<string, AdapterModule>> {
  return new Map(await Promise.all([...builtInAdapters].map(async ([type, load]) => [type, await load()] as const)));
}

/** `open` gets settings that the module's own schema has checked, so their type is known to be right. */
function erase<Config>(module: AdapterModule<Config>): AdapterModule {
  const { declared, draft, excludes, pacedBy, retryAfter, refusesForeignIds } = module;
  return {
    contractVersion: module.contractVersion,
    type: module.type,
    configSchema: module.configSchema,
    ...(pacedBy === undefined ? {} : { pacedBy }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(declared === undefined ? {} : { declared: (settings: unknown) => declared(settings as Config) }),
    ...(refusesForeignIds === undefined
      ? {}
      : { refusesForeignIds: (settings, entity, field) => refusesForeignIds(settings as Config, entity, field) }),
    ...(draft === undefined ? {} : { draft }),
    ...(excludes === undefined
      ? {}
      : { excludes: (one, other) => excludes(one as AdapterSetup<Config>, other as AdapterSetup<Config>) }),
    open: (settings, environment) => module.open(settings as Config, environment),
  };
}
