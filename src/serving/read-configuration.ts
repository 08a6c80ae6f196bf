import { readAdapterTypes } from '../../config/adapter-types.js';
import { loadConfig } from '../../config/load.js';
import { sortProblems } from '../../config/problem.js';
import { toProblem } from '../../config/source.js';
import { checkDeclared, compileGateway } from '../composition.js';
import type { AdapterRegistry } from '../plug-in/adapter-registry.js';
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
  const { draft } = loaded;
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
