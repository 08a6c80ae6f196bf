import { isObject } from '../src/scim/schema.js';
import type { GatewayFile } from './file-schema.js';
import type { ConfigFile, ConfigFiles } from './files.js';
import type { Path, Problem } from './problem.js';

type Section = GatewayFile['adapters'][string];

/** Where the section of an adapter stands, and what its presets are opened with. */
export interface SectionPlace {
  readonly main: ConfigFile;
  readonly path: Path;
  readonly files: ConfigFiles;
  readonly problems: Problem[];
}

/**
 * The section of an adapter with what the presets in its `use` say of such an adapter: later ones over earlier ones, and
 * the section over all. Objects are merged; null takes out what a preset says.
 */
export function withPresets(section: Section, place: SectionPlace): Section {
  const { use, ...own } = section as Section & { readonly use?: unknown };
  const references = [use ?? []].flat();
  const bases = references.map((reference, index) => {
    const at = [...place.path, 'use', ...(Array.isArray(use) ? [index] : [])];
    return presetSection(String(reference), own.type, at, place);
  });
  return references.length === 0 ? own : ([...bases, own].reduce(merged, {}) as Section);
}

function presetSection(reference: string, type: string, at: Path, { main, files, problems }: SectionPlace): object {
  const { json } = files.open(reference, main, at) ?? {};
  if (json === undefined) return {};
  const adapter = isObject(json) ? json.adapter : undefined;
  if (!isObject(adapter)) {
    const message = `"${reference}" has nothing for an adapter: it has no section "adapter".`;
    problems.push(main.document.problem('error', at, message));
    return {};
  }
  if (adapter.type === type) return adapter;
  const message = `"${reference}" is for adapters of type "${String(adapter.type)}".`;
  problems.push(main.document.problem('error', at, message));
  return {};
}

function merged(base: object, over: object): object {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const below = result[name];
    if (value === null) delete result[name];
    else result[name] = isObject(below) && isObject(value) ? merged(below, value) : structuredClone(value);
  }
  return result;
}
