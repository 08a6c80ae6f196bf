import { resolve } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { isObject } from '../src/scim/schema.js';
import { type AdapterKeys, adapterKeysSchema, splitSection, withAdapterKeys } from './adapter-keys.js';
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
import { type Path, type Problem, type Severity, sortProblems } from './problem.js';
import { ResourceTypes } from './resource-types.js';
import { SchemaCatalog } from './schema-catalog.js';
import { schemaProblems } from './schema-problems.js';
import { exposureProblems, networkProblems } from './server-checks.js';
import type { Sources } from './source.js';
import { localAdapters, readState } from './state-section.js';
import { validator } from './validator.js';

export interface LoadOptions {
  /** The path of gateway.yaml. Without one, the built-in configuration is loaded. */
  readonly file?: string;
  /** The config schema of each adapter type that may stand in `type:`. */
  readonly adapterSchemas: ReadonlyMap<string, object>;
  /** By what stands in `type:`: why it can be used with reserve only, or, without a schema, not at all. */
  readonly adapterMessages?: ReadonlyMap<string, string>;
  /** Files that the adapters' modules are made of, with their SHA-256; undefined for those that are missing. */
  readonly adapterFiles?: ReadonlyMap<string, string | undefined>;
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
export function loadConfig(options: LoadOptions): LoadResult {
  const { file, env = process.env, texts, adapterFiles = new Map() } = options;
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
      files: [...new Set([...(draft?.files ?? [...files.names, ...files.secretFiles.keys()]), ...adapterFiles.keys()])],
      fingerprints: new Map([...files.fingerprints, ...adapterFiles]),
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
  const draft = readDraft(main.json as GatewayFile, { ...options, main, files, isBroken, problems });
  return finish({ ...draft, files: [...new Set([...draft.files, ...adapterFiles.keys()])], file }, problems);
}

interface Reading extends Pick<LoadOptions, 'adapterSchemas' | 'adapterMessages'> {
  readonly main: ConfigFile;
  readonly files: ConfigFiles;
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
  const state = isBroken(['state']) ? undefined : readState(data.state, main, problems);
  if (state !== undefined) problems.push(...localAdapters(adapters, main));
  const keySets = gateways.flatMap((gateway) => keySetFiles(gateway, main));
  const secretFiles = [
    ...new Set([...files.secretFiles.keys(), ...keySets, ...(tls ? [tls.certificate, tls.key] : [])]),
  ];
  const server = {
    listen: readListen(data.listen, ['listen'], reading),
    publicUrl: isBroken(['publicUrl']) ? undefined : data.publicUrl?.replace(/\/+$/, ''),
    tls: isBroken(['tls']) ? undefined : tls,
    trustedProxies: data.trustedProxies,
    metrics: data.metrics && readListen(data.metrics.listen, ['metrics', 'listen'], reading),
  };
  problems.push(...exposureProblems(server, main));
  return {
    ...server,
    baseDir: main.dir,
    dataDir: resolve(main.dir, String(data.data)),
    state,
    isStateFaulty: data.state !== undefined && state === undefined,
    log: data.log,
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
    const { main, files, adapterSchemas, adapterMessages, problems } = reading;
    const section = withPresets(written, { main, path, files, problems });
    const schema = adapterSchemas.get(section.type);
    const tell = (severity: Severity, message: string): void => {
      problems.push(main.document.problem(severity, [...path, 'type'], message));
    };
    const told = adapterMessages?.get(section.type);
    if (schema === undefined) {
      const known = suggestion(section.type, [...adapterSchemas.keys()]);
      tell('error', told ?? `There is no adapter of type "${section.type}"${known}`);
      continue;
    }
    if (told !== undefined) tell('warning', told);
    const { type } = section;
    const validate = compiled(withAdapterKeys(schema));
    if (typeof validate === 'string') {
      tell('error', `The config schema of ${type} is wrong, which is a fault in the module: ${validate}`);
      continue;
    }
    const { common, own } = splitSection(section, schema);
    const { type: _, ...rest } = own;
    const settings: unknown = namesType(schema) ? own : rest;
    const check = (part: unknown, against: ValidateFunction): boolean => {
      if (against(part)) return true;
      const found = schemaProblems(main.document, path, part, against.errors ?? []);
      problems.push(...found.map(({ problem }) => problem));
      return false;
    };
    check(settings, validate);
    const guard = check(common, validator().compile(adapterKeysSchema)) ? (common as AdapterKeys) : {};
    adapters.set(name, { name, type, settings, guard });
  }
  return adapters;
}

/** A schema of others may be anything. @returns what is wrong with it, else the check */
function compiled(schema: object): ValidateFunction | string {
  try {
    const validate = validator().compile(schema);
    return '$async' in validate && validate.$async === true ? 'it is asynchronous ("$async").' : validate;
  } catch (error) {
    return `${(error as Error).message}.`;
  }
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
