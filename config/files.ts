import { readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suggestion } from './nearest.js';
import type { Path, Problem } from './problem.js';
import { resolveSecrets } from './secrets.js';
import { SourceDocument } from './source.js';

/** One file of a configuration: gateway.yaml, a mapping file, a schema, a preset that comes with the program. */
export interface ConfigFile {
  readonly document: SourceDocument;
  /** The data with references to secrets resolved; undefined when the text is not YAML. */
  readonly json: unknown;
  /** Absolute; files that this one names are relative to it. */
  readonly dir: string;
  readonly isPreset: boolean;
}

const presetDir = fileURLToPath(new URL('./presets/', import.meta.url));

/** Preset `scim` is computed from the resource type; the others are files. */
export function presetNames(): readonly string[] {
  const files = readdirSync(presetDir).filter((name) => name.endsWith('.yaml'));
  return ['scim', ...files.map((name) => name.slice(0, -'.yaml'.length))].sort();
}

/** Reads the files of one configuration, each once, and keeps the problems of their texts. */
export class ConfigFiles {
  readonly problems: Problem[] = [];
  readonly #files = new Map<string, ConfigFile>();
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** By the names that origins carry, in the order of reading. */
  get documents(): ReadonlyMap<string, SourceDocument> {
    return new Map([...this.#files.values()].map(({ document }) => [document.name, document]));
  }

  /** Absolute names of the files that were read, presets apart. */
  get names(): readonly string[] {
    return [...this.#files].flatMap(([name, { isPreset }]) => (isPreset ? [] : [name]));
  }

  add(name: string, absolute: string, text: string, isPreset = false): ConfigFile {
    const { document, problems } = SourceDocument.parse(name, text);
    const dir = dirname(absolute);
    const resolved = resolveSecrets(document, { env: this.#env, baseDir: dir });
    this.problems.push(...problems, ...resolved.problems);
    const file = { document, json: resolved.json, dir, isPreset };
    this.#files.set(absolute, file);
    return file;
  }

  /** A file or preset that `from` names at `at`. What cannot be read is a problem there. */
  open(reference: string, from: ConfigFile, at: Path): ConfigFile | undefined {
    const isFile = /[/\\]|\.(ya?ml|json)$/i.test(reference);
    const absolute = isFile ? resolve(from.dir, reference) : join(presetDir, `${reference}.yaml`);
    const known = this.#files.get(absolute);
    if (known !== undefined) return known;
    const isPreset = !isFile || from.isPreset;
    try {
      return this.add(this.#nameOf(reference, from, isPreset), absolute, readFileSync(absolute, 'utf8'), isPreset);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      const message = isFile
        ? `The file ${reference} cannot be read (${code}). A path is relative to the file that names it.`
        : `There is no preset "${reference}"${suggestion(reference, presetNames())} A file is named with its path, such as "./${reference}.yaml".`;
      this.problems.push(from.document.problem('error', at, message));
      return undefined;
    }
  }

  #nameOf(reference: string, from: ConfigFile, isPreset: boolean): string {
    if (isPreset) return `preset ${reference}`;
    return isAbsolute(reference) ? reference : join(dirname(from.document.name), reference);
  }
}
