import { hash } from 'node:crypto';
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
  /** By absolute name: the files that `${file:…}` names, with what they held; undefined for those that cannot be read. */
  readonly secretFiles = new Map<string, string | undefined>();
  readonly #files = new Map<string, ConfigFile>();
  readonly #texts = new Map<string, string>();
  readonly #missing = new Set<string>();
  readonly #env: NodeJS.ProcessEnv;
  readonly #known: ReadonlyMap<string, string>;

  /** @param known texts by absolute name, which are not read from the disk again */
  constructor(env: NodeJS.ProcessEnv, known: ReadonlyMap<string, string> = new Map()) {
    this.#env = env;
    this.#known = known;
  }

  /** By the names that origins carry, in the order of reading. */
  get documents(): ReadonlyMap<string, SourceDocument> {
    return new Map([...this.#files.values()].map(({ document }) => [document.name, document]));
  }

  /** Absolute names of the files that were read or are missing, presets and secrets apart. */
  get names(): readonly string[] {
    return [...[...this.#files].flatMap(([name, { isPreset }]) => (isPreset ? [] : [name])), ...this.#missing];
  }

  /** SHA-256 of what each file held when it was read, secrets included; undefined for those that cannot be read. */
  get fingerprints(): ReadonlyMap<string, string | undefined> {
    const missing = [...this.#missing].map((name) => [name, undefined] as const);
    const held = [...this.#texts, ...this.secretFiles, ...missing];
    return new Map(held.map(([name, text]) => [name, text === undefined ? undefined : hash('sha256', text)]));
  }

  /** What the files held, by absolute name. */
  get texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  /** @throws NodeJS.ErrnoException when it cannot be read */
  read(absolute: string): string {
    try {
      const text = this.#known.get(absolute) ?? readFileSync(absolute, 'utf8');
      this.#texts.set(absolute, text);
      return text;
    } catch (error) {
      this.#missing.add(absolute);
      throw error;
    }
  }

  add(name: string, absolute: string, text: string, isPreset = false): ConfigFile {
    const { document, problems } = SourceDocument.parse(name, text);
    const dir = dirname(absolute);
    const resolved = resolveSecrets(document, { env: this.#env, baseDir: dir });
    this.problems.push(...problems, ...resolved.problems);
    for (const [secret, held] of resolved.files) this.secretFiles.set(secret, held);
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
      return this.add(this.#nameOf(reference, from, isPreset), absolute, this.read(absolute), isPreset);
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
