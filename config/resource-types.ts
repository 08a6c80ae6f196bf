import { createResourceType, type ResourceType, type Schema, type SchemaExtension } from '../src/scim/schema.js';
import { coreGroupSchema, coreUserSchema, enterpriseUserSchema } from './core-schemas.js';
import type { ResourceSection } from './file-schema.js';
import type { ConfigFile } from './files.js';
import { nearest } from './nearest.js';
import type { Path, Problem } from './problem.js';
import type { OpenUse, RuleSection } from './rules.js';
import type { SchemaCatalog } from './schema-catalog.js';

interface KnownType {
  readonly endpoint: string;
  readonly schema: Schema;
  readonly extensions: readonly SchemaExtension[];
}

/** The types of RFC 7643 §4; their schema and endpoint need no telling. */
const knownTypes: Readonly<Record<string, KnownType>> = {
  User: {
    endpoint: '/Users',
    schema: coreUserSchema,
    extensions: [{ schema: enterpriseUserSchema, required: false }],
  },
  Group: { endpoint: '/Groups', schema: coreGroupSchema, extensions: [] },
};

/** Builds resource types from their sections; collects what is wrong with them. */
export class ResourceTypes {
  readonly problems: Problem[] = [];
  readonly #catalog: SchemaCatalog;
  readonly #open: OpenUse;

  constructor(catalog: SchemaCatalog, open: OpenUse) {
    this.#catalog = catalog;
    this.#open = open;
  }

  /** @returns undefined when the type cannot be built */
  build(name: string, settings: ResourceSection, section: RuleSection): ResourceType | undefined {
    const known = Object.hasOwn(knownTypes, name) ? knownTypes[name] : undefined;
    // Opened first, since a file that `use` names may bring the schemas that the type is made of.
    const extensions = this.#extensions(name, section, known?.extensions ?? []);
    const schema = this.#coreSchema(name, settings, section, known);
    const { endpoint } = settings;
    if (known !== undefined && endpoint !== undefined && endpoint !== known.endpoint) {
      this.#report(
        section.file,
        [...section.path, 'endpoint'],
        `${name} is always at ${known.endpoint}; leave "endpoint" out.`,
      );
    }
    if (schema === undefined || extensions === undefined) return undefined;
    const type = createResourceType({
      name,
      description: settings.description ?? schema.description,
      endpoint: known?.endpoint ?? endpoint ?? `/${name}s`,
      schema,
      extensions,
    });
    this.#warnOfRedefinition(type);
    return type;
  }

  #coreSchema(
    name: string,
    { schema: uri }: ResourceSection,
    { file, path }: RuleSection,
    known: KnownType | undefined,
  ): Schema | undefined {
    if (known !== undefined) {
      if (uri !== undefined && uri.toLowerCase() !== known.schema.id.toLowerCase()) {
        this.#report(
          file,
          [...path, 'schema'],
          `${name} always has the schema ${known.schema.id}; leave "schema" out, or give the type another name.`,
        );
      }
      return known.schema;
    }
    if (uri === undefined) {
      const near = nearest(name, Object.keys(knownTypes));
      const meant = near === undefined ? '' : ` Did you mean "${near}"?`;
      this.#report(
        file,
        path,
        `"schema" is missing in "${name}": a type of your own names the URN of its core schema.${meant}`,
        'key',
      );
      return undefined;
    }
    const found = this.#catalog.find(uri, 'core');
    if (typeof found === 'string') this.#report(file, [...path, 'schema'], found);
    return typeof found === 'string' ? undefined : found;
  }

  /** The built-in extensions, then those of used files, then the type's own; the last word on `required` holds. */
  #extensions(
    name: string,
    section: RuleSection,
    known: readonly SchemaExtension[],
  ): readonly SchemaExtension[] | undefined {
    const byUri = new Map(known.map((extension) => [extension.schema.id.toLowerCase(), extension]));
    let isComplete = true;
    const collect = (part: RuleSection, within: readonly ConfigFile[]): void => {
      for (const { sections } of this.#open(part, name, within)) {
        for (const used of sections) collect(used, [...within, used.file]);
      }
      const seen = new Set<string>();
      for (const [index, entry] of (part.extensions ?? []).entries()) {
        const path = [...part.path, 'extensions', index];
        const uri = typeof entry === 'string' ? entry : entry.schema;
        if (seen.has(uri.toLowerCase()))
          this.#report(part.file, path, `The extension "${uri}" is listed twice; keep one of the two.`);
        seen.add(uri.toLowerCase());
        const schema = this.#catalog.find(uri, 'extension');
        if (typeof schema === 'object') {
          byUri.set(uri.toLowerCase(), { schema, required: typeof entry === 'object' && entry.required === true });
          continue;
        }
        isComplete = false;
        if (typeof schema === 'string')
          this.#report(part.file, typeof entry === 'string' ? path : [...path, 'schema'], schema);
      }
    };
    collect(section, [section.file]);
    return isComplete ? [...byUri.values()] : undefined;
  }

  /** RFC 7643 §3.3: an extension should not redefine attributes of the core schema. */
  #warnOfRedefinition(type: ResourceType): void {
    for (const { schema } of type.extensions) {
      const place = this.#catalog.place(schema.id);
      if (place === undefined) continue;
      for (const [index, attribute] of schema.attributes.entries()) {
        if (attribute.name === 'schemas' || type.coreAttribute(attribute.name) === undefined) continue;
        const message = `"${attribute.name}" redefines an attribute of the core schemas (RFC 7643 §3.3 advises against it); choose another name.`;
        this.problems.push(place.document.problem('warning', [...place.path, 'attributes', index, 'name'], message));
      }
    }
  }

  #report(file: ConfigFile, path: Path, message: string, prefer: 'key' | 'value' = 'value'): void {
    this.problems.push(file.document.problem('error', path, message, prefer));
  }
}
