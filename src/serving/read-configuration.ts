import { readAdapterTypes } from '../../config/adapter-types.js';
import type { AdapterConfig, GatewayConfig } from '../../config/gateway-config.js';
import { loadConfig } from '../../config/load.js';
import { formatPath, type Problem, sortProblems } from '../../config/problem.js';
import { toProblem } from '../../config/source.js';
import { checkDeclared, compileGateway } from '../composition.js';
import type { AdapterRegistry } from '../plug-in/adapter-registry.js';
import { plugInFile } from '../plug-in/contained-module.js';
import type { Configuration } from './configuration.js';

/**
 * Reads gateway.yaml, or the built-in configuration, loads the adapters that it names, and compiles its mappings.
 * @param texts of an earlier configuration, which are not read again
 */
export async function readConfiguration(
  adapters: Pick<AdapterRegistry, 'load'>,
  file: string | undefined,
  texts?: Configuration['texts'],
): Promise<Configuration> {
  const source = { ...(file === undefined ? {} : { file }), ...(texts === undefined ? {} : { texts }) };
  const named = readAdapterTypes(source);
  const { modules, messages, files } = await adapters.load(named.types, named.baseDir);
  const loaded = loadConfig({
    ...source,
    texts: named.texts,
    adapterSchemas: new Map([...modules].map(([type, { configSchema }]) => [type, configSchema])),
    adapterMessages: messages,
    adapterFiles: files,
  });
  const draft = loaded.draft && withoutFaulty(loaded.draft, loaded.problems, modules);
  const compiled = (draft?.gateways ?? []).map((gateway) => ({ gateway, ...compileGateway(gateway) }));
  const mappingProblems = compiled.flatMap(({ gateway, problems }) =>
    [...problems, ...(draft === undefined ? [] : checkDeclared(draft, gateway, modules))].map((problem) =>
      toProblem(loaded.sources, problem),
    ),
  );
  return {
    ...loaded,
    plans: new Map(compiled.map(({ gateway, plans }) => [gateway.id, plans])),
    problems: sortProblems([...loaded.problems, ...mappingProblems], [...loaded.sources.documents.keys()]),
    modules,
  };
}

/** An adapter of others is asked nothing about a section that its own schema does not let through. */
function withoutFaulty(
  draft: GatewayConfig,
  problems: readonly Problem[],
  modules: Configuration['modules'],
): GatewayConfig {
  const errors = problems.filter(({ severity }) => severity === 'error').map(({ path }) => path);
  const isAsked = ([name, { type }]: readonly [string, AdapterConfig]): boolean => {
    const module = modules.get(type);
    if (module === undefined || plugInFile(module) === undefined) return true;
    const place = formatPath(['adapters', name]);
    return !errors.some((path) => path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`));
  };
  return { ...draft, adapters: new Map([...draft.adapters].filter(isAsked)) };
}
