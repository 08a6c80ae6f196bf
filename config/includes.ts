import type { ValidateFunction } from 'ajv';
import type { MappingFile } from './file-schema.js';
import type { ConfigFile, ConfigFiles } from './files.js';
import type { Problem } from './problem.js';
import type { OpenUse, RuleSection } from './rules.js';
import type { SchemaCatalog } from './schema-catalog.js';
import { schemaProblems } from './schema-problems.js';

/** Opens what `use` names: checks each file once, takes its schemas in, and finds circles. */
export class Includes {
  readonly problems: Problem[] = [];
  readonly #files: ConfigFiles;
  readonly #catalog: SchemaCatalog;
  readonly #validate: ValidateFunction;
  readonly #checked = new Map<ConfigFile, MappingFile | undefined>();

  constructor(files: ConfigFiles, catalog: SchemaCatalog, validate: ValidateFunction) {
    this.#files = files;
    this.#catalog = catalog;
    this.#validate = validate;
  }

  readonly open: OpenUse = (section, typeName, within) => {
    const references = [section.use ?? []].flat();
    return references.flatMap((reference, index) => {
      const path = [...section.path, 'use', index];
      if (reference === 'scim') return [{ reference, path, sections: [] }];
      const file = this.#files.open(reference, section.file, path);
      if (file === undefined) return [];
      if (within.includes(file)) {
        const circle = [...within.slice(within.indexOf(file)), file].map(({ document }) => document.name).join(' → ');
        this.#report(
          section.file,
          path,
          `These files use each other in a circle: ${circle}. Leave out one of the steps.`,
        );
        return [];
      }
      const data = this.#check(file);
      if (data === undefined) return [];
      const sections = sectionsFor(file, data, typeName);
      if (sections.length === 0) {
        this.#report(section.file, path, `"${reference}" has nothing for ${typeName}${forWhom(data)}`, 'warning');
      }
      return [{ reference, path, sections }];
    });
  };

  #check(file: ConfigFile): MappingFile | undefined {
    if (!this.#checked.has(file)) this.#checked.set(file, this.#validated(file));
    return this.#checked.get(file);
  }

  #validated(file: ConfigFile): MappingFile | undefined {
    if (file.json === undefined) return undefined;
    if (!this.#validate(file.json)) {
      const found = schemaProblems(file.document, [], file.json, this.#validate.errors ?? []);
      this.problems.push(...found.map(({ problem }) => problem));
      if (found.some(({ breaks }) => breaks !== undefined)) return undefined;
    }
    const data = file.json as MappingFile;
    this.#catalog.declare(data.schemas ?? [], file, ['schemas'], this.#files);
    return data;
  }

  #report(file: ConfigFile, path: RuleSection['path'], message: string, severity: Problem['severity'] = 'error'): void {
    this.problems.push(file.document.problem(severity, path, message));
  }
}

/** The parts of a mapping file that hold for a type: those for all types, then those for this one. */
function sectionsFor(file: ConfigFile, data: MappingFile, typeName: string): readonly RuleSection[] {
  const own = Object.entries(data.resources ?? {}).filter(([key]) => key.toLowerCase() === typeName.toLowerCase());
  const common = data.use === undefined && data.mapping === undefined ? [] : [toSection(file, [], data)];
  return [...common, ...own.map(([name, part]) => toSection(file, ['resources', name], part))];
}

/** A part of a configuration file as a section of rules, without what it leaves out. */
export function toSection(
  file: ConfigFile,
  path: RuleSection['path'],
  { use, mapping, extensions }: Partial<Pick<RuleSection, 'use' | 'mapping' | 'extensions'>>,
): RuleSection {
  return {
    file,
    path,
    ...(use !== undefined && { use }),
    ...(mapping !== undefined && { mapping }),
    ...(extensions !== undefined && { extensions }),
  };
}

function forWhom({ resources }: MappingFile): string {
  const names = Object.keys(resources ?? {});
  return names.length === 0 ? '.' : `; it has rules for ${names.join(' and ')}.`;
}
