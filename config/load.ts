import { resolve } from 'node:path';
import { isObject } from '../src/scim/schema.js';
import { withPresets } from './adapter-presets.js';
import { builtInText } from './built-in.js';
import { crossCheck, unusedAdapters } from './cross-checks.js';
import {
  type GatewayFile,
  gatewayFileSchema,
  gatewaySchema,
  mappingFileSchema,
  resourceSchema,
} from './file-schema.js';
import { type ConfigFile, ConfigFiles } from './files.js';
import type { AdapterConfig, Gateway, GatewayConfig } from './gateway-config.js';
import { buildGateways } from './gateways.js';
import { Includes } from './includes.js';
import { suggestion } from './nearest.js';
import { type Path, type Problem, sortProblems } from './problem.js';
import { ResourceTypes } from './resource-types.js';
import { SchemaCatalog } from './schema-catalog.js';
import { schemaProblems } from './schema-problems.js';
import { networkProblems } from './server-checks.js';
import type { Sources } from './source.js';
import { validator } from './validator.js';

export interface LoadOptions {
  /** The path of gateway.yaml. Without one, the built-in configuration is loaded. */
  readonly file?: string;
  /** The config schema of each adapter type that may stand in `type:`. */
  readonly adapterSchemas: ReadonlyMap<string, object>;
  /** For `${env:NAME}`. Default: the process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * `texts` of an earlier load: what stands here is not read again. Only secrets are then, and files that are new.
   */
  readonly texts?: ReadonlyMap<string, string>;
}

export interface LoadResult {
  /** Undefined when a problem is an error. */
  readonly config: GatewayConfig | undefined;
  /** What could be read in spite of errors, so that a check goes on to the mapping. Not to be run. */
  readonly draft: GatewayConfig | undefined;
  /** All of them, in reading order. */
  readonly problems: readonly Problem[];
  /** For `toProblem`: places problems that the mapping or an adapter finds later. */
  readonly sources: Sources;
  /** What the files of the configuration held, by absolute name, secrets apart. */
  readonly texts: ReadonlyMap<string, string>;
  /** Absolute: every file on which the result depends, also those that are missing. */
  readonly files: readonly string[];
  /** SHA-256 of what was read of them, in hex; undefined for those that are missing. */
  readonly fingerprints: ReadonlyMap<string, string | undefined>;
}

const builtInName = 'built-in configuration';

/** Reads and checks gateway.yaml with everything that it names. Problems are values; nothing is thrown for a wrong file. */
export function loadConfig({ file, adapterSchemas, env = process.env, texts }: LoadOptions): LoadResult {
  const files = new ConfigFiles(env, texts);
  const name = file ?? builtInName;
  const finish = (draft: GatewayConfig | undefined, found: readonly Problem[]): LoadResult => {
    const documents = files.documents;
    const problems = sortProblems([...files.problems, ...found], [...documents.keys()]);
    const isUsable = !problems.some(({ severity }) => severity === 'error');
    return {
      config: isUsable ? draft : undefined,
      draft,
      problems,
      sources: { documents, main: name },
      texts: files.texts,
      files: draft?.files ?? [...files.names, ...files.secretFiles.keys()],
      fingerprints: files.fingerprints,
    };
  };
  const text = file === undefined ? builtInText : readText(file, files);
  if (typeof text !== 'string') return finish(undefined, [text]);
  const main = files.add(name, resolve(file ?? 'gateway.yaml'), text);
  if (main.json === undefined) return finish(undefined, []);
  const validate = validator().compile(gatewayFileSchema);
  const findings = validate(main.json) ? [] : schemaProblems(main.document, [], main.json, validate.errors ?? []);
  const breaks = findings.flatMap((finding) => (finding.breaks === undefined ? [] : [finding.breaks]));
  const isBroken = (path: Path): boolean => breaks.some((broken) => startsWith(broken, path));
  const problems = findings.map(({ problem }) => problem);
  if (!isObject(main.json) || !isObject(main.json.gateways) || !isObject(main.json.adapters))
    return finish(undefined, problems);
  const draft = readDraft(main.json as GatewayFile, { main, files, adapterSchemas, isBroken, problems });
  return finish({ ...draft, file }, problems);
}

interface Reading {
  readonly main: ConfigFile;
  readonly files: ConfigFiles;
  readonly adapterSchemas: ReadonlyMap<string, object>;
  readonly isBroken: (path: Path) => boolean;
  readonly problems: Problem[];
}

function readDraft(data: GatewayFile, reading: Reading): Omit<GatewayConfig, 'file'> {
  const { main, files, isBroken, problems } = reading;
  const catalog = new SchemaCatalog();
  if (!isBroken(['schemas'])) catalog.declare(data.schemas ?? [], main, ['schemas'], files);
  const includes = new Includes(files, catalog, validator().compile(mappingFileSchema));
  const types = new ResourceTypes(catalog, includes.open);
  const adapters = readAdapters(data, reading);
  const gateways = buildGateways(data, {
    main,
    types,
    open: includes.open,
    adapters: Object.keys(data.adapters),
    isBroken,
    defaults: {
      gateway: filled(gatewaySchema, { resources: {} }),
      resource: filled(resourceSchema, { adapter: '' }),
    },
    problems,
  });
  catalog.finish(!isBroken([]));
  problems.push(...includes.problems, ...types.problems, ...catalog.problems);
  problems.push(...crossCheck(gateways, adapters, main), ...unusedAdapters(data, main));
  problems.push(...networkProblems(data.trustedProxies, main));
  const tls = resolveTls(data.tls, main);
  const keySets = gateways.flatMap((gateway) => keySetFiles(gateway, main));
  const secretFiles = [
    ...new Set([...files.secretFiles.keys(), ...keySets, ...(tls ? [tls.certificate, tls.key] : [])]),
  ];
  return {
    baseDir: main.dir,
    listen: readListen(data.listen, ['listen'], reading),
    publicUrl: isBroken(['publicUrl']) ? undefined : data.publicUrl?.replace(/\/+$/, ''),
    dataDir: resolve(main.dir, String(data.data)),
    log: data.log,
    tls,
    trustedProxies: data.trustedProxies,
    metrics: data.metrics && readListen(data.metrics.listen, ['metrics', 'listen'], reading),
    transactions: data.transactions,
    reloadOnChange: data.reloadOnChange,
    files: [...new Set([...files.names, ...secretFiles])],
    secretFiles,
    adapters,
    gateways,
  };
}

function readAdapters(data: GatewayFile, reading: Reading): ReadonlyMap<string, AdapterConfig> {
  const adapters = new Map<string, AdapterConfig>();
  for (const [name, written] of Object.entries(data.adapters)) {
    const path = ['adapters', name];
    if (reading.isBroken(path)) continue;
    const { main, files, adapterSchemas, problems } = reading;
    const section = withPresets(written, { main, path, files, problems });
    const schema = adapterSchemas.get(section.type);
    if (schema === undefined) {
      const message = `There is no adapter of type "${section.type}"${suggestion(section.type, [...adapterSchemas.keys()])}`;
      problems.push(main.document.problem('error', [...path, 'type'], message));
      continue;
    }
    const { type, ...rest } = section;
    const settings: unknown = namesType(schema) ? section : rest;
    const validate = validator().compile(schema);
    if (!validate(settings)) {
      problems.push(
        ...schemaProblems(main.document, path, settings, validate.errors ?? []).map(({ problem }) => problem),
      );
    }
    adapters.set(name, { name, type, settings });
  }
  return adapters;
}

/** Most adapters' schemas describe the section with its `type`; one may leave that to the gateway. */
function namesType(schema: object): boolean {
  return 'properties' in schema && isObject(schema.properties) && 'type' in schema.properties;
}

function readListen(text: string, path: Path, { main, isBroken, problems }: Reading): GatewayConfig['listen'] {
  if (isBroken(path)) return { host: '127.0.0.1', port: 0 };
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (port > 65_535) {
    problems.push(main.document.problem('error', path, `The port ${port} is too large; ports end at 65535.`));
  }
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port };
}

function resolveTls(tls: GatewayFile['tls'], main: ConfigFile): GatewayFile['tls'] {
  if (!isObject(tls)) return undefined;
  return { ...tls, certificate: resolve(main.dir, String(tls.certificate)), key: resolve(main.dir, String(tls.key)) };
}

function keySetFiles({ auth }: Gateway, main: ConfigFile): readonly string[] {
  const issuers = auth.jwt === undefined ? [] : [auth.jwt].flat();
  return issuers.flatMap(({ keys }) => (typeof keys === 'string' ? [resolve(main.dir, keys)] : []));
}

/** The least section that a schema allows, with its defaults. */
function filled<Section extends object>(schema: object, section: object): Section {
  validator().compile(schema)(section);
  return section as Section;
}

function readText(file: string, files: ConfigFiles): string | Problem {
  try {
    return files.read(resolve(file));
  } catch (error) {
    const message = `The file cannot be read (${(error as NodeJS.ErrnoException).code}).`;
    return { severity: 'error', file, line: 1, column: 1, path: '', message };
  }
}

function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((segment, index) => path[index] === segment);
}
