import { isObject, parseSchema, parseSchemaUri, type Schema } from '../src/scim/schema.js';
import { coreGroupSchema, coreUserSchema, enterpriseUserSchema } from './core-schemas.js';
import type { ConfigFile, ConfigFiles } from './files.js';
import { nearest } from './nearest.js';
import type { Path, Problem } from './problem.js';
import type { SourceDocument } from './source.js';

type Role = 'core' | 'extension';

/** A schema that the configuration declares, and where. */
interface Declaration {
  readonly uri: string;
  readonly json: unknown;
  readonly document: SourceDocument;
  readonly path: Path;
  readonly parsed: Map<Role, Schema | undefined>;
}

const builtIn: ReadonlyMap<string, { readonly schema: Schema; readonly role: Role }> = new Map(
  [
    { schema: coreUserSchema, role: 'core' as const },
    { schema: coreGroupSchema, role: 'core' as const },
    { schema: enterpriseUserSchema, role: 'extension' as const },
  ].map((entry) => [entry.schema.id.toLowerCase(), entry]),
);

const attributeKeys = new Set([
  'name',
  'type',
  'subAttributes',
  'multiValued',
  'description',
  'required',
  'canonicalValues',
  'caseExact',
  'mutability',
  'returned',
  'uniqueness',
  'referenceTypes',
]);
const schemaKeys = new Set(['schemas', 'id', 'name', 'description', 'attributes', 'meta', 'externalId']);

/** The schemas that a configuration may use: those of RFC 7643, and those that its files declare. */
export class SchemaCatalog {
  readonly problems: Problem[] = [];
  readonly #declarations = new Map<string, Declaration>();

  /** Takes in the `schemas` list of a file. */
  declare(list: readonly unknown[], file: ConfigFile, at: Path, files: ConfigFiles): void {
    for (const [index, entry] of list.entries()) {
      const path = [...at, index];
      if (typeof entry !== 'string') {
        this.#add(entry, file.document, path, file.isPreset);
        continue;
      }
      const opened = files.open(/[/\\]|\.\w+$/.test(entry) ? entry : `./${entry}`, file, path);
      if (opened?.json !== undefined) this.#add(opened.json, opened.document, [], opened.isPreset);
    }
  }

  /**
   * The schema with that URN, in any case.
   * @returns a message when there is none; undefined when it is declared but wrong, which is reported by itself
   */
  find(uri: string, role: Role): Schema | string | undefined {
    const lower = uri.toLowerCase();
    const known = builtIn.get(lower);
    if (known !== undefined) {
      if (known.role === role) return known.schema;
      return `"${known.schema.id}" is ${known.role === 'core' ? 'a core schema, no extension' : 'an extension, no core schema'}.`;
    }
    const declaration = this.#declarations.get(lower);
    if (declaration !== undefined) return this.#parse(declaration, role);
    const near = nearest(uri, [...[...builtIn.values()].map(({ schema }) => schema.id), ...this.uris()]);
    const hint = near === undefined ? 'Declare it in a file named under "schemas".' : `Did you mean "${near}"?`;
    return `There is no schema "${uri}". ${hint}`;
  }

  uris(): readonly string[] {
    return [...this.#declarations.values()].map(({ uri }) => uri);
  }

  /** Where a part of a declared schema stands; undefined for those of RFC 7643. */
  place(uri: string): { document: SourceDocument; path: Path } | undefined {
    return this.#declarations.get(uri.toLowerCase());
  }

  /**
   * Checks also what no resource type uses. To be called last.
   * @param reportUnused false when not all resource types could be read
   */
  finish(reportUnused: boolean): void {
    for (const declaration of this.#declarations.values()) {
      if (declaration.parsed.size > 0) continue;
      this.#parse(declaration, 'core');
      const { document, path, uri } = declaration;
      if (!reportUnused) continue;
      this.problems.push(document.problem('warning', [...path, 'id'], `No resource type uses the schema "${uri}".`));
    }
  }

  #add(json: unknown, document: SourceDocument, path: Path, isPreset: boolean): void {
    const id = isObject(json) && typeof json.id === 'string' ? json.id : undefined;
    if (id === undefined || parseSchemaUri(id) === undefined) {
      this.#report(parseSchema(json, 'core').problems, document, path);
      return;
    }
    const lower = id.toLowerCase();
    const first = this.#declarations.get(lower);
    if (first !== undefined && first.document === document && isSamePath(first.path, path)) return;
    if (builtIn.has(lower) || first !== undefined) {
      const where = first === undefined ? 'comes with the gateway' : `is declared in ${first.document.name} already`;
      const message = `The schema "${id}" ${where}. A schema of your own has a URN of its own.`;
      this.problems.push(document.problem('error', [...path, 'id'], message));
      return;
    }
    this.#declarations.set(lower, { uri: id, json, document, path, parsed: new Map() });
    if (!isPreset) this.#reportUnknownKeys(json, document, path);
  }

  #parse(declaration: Declaration, role: Role): Schema | undefined {
    const { parsed, json, document, path } = declaration;
    if (!parsed.has(role)) {
      const { schema, problems } = parseSchema(json, role);
      parsed.set(role, schema);
      this.#report(problems, document, path);
    }
    return parsed.get(role);
  }

  #report(problems: ReturnType<typeof parseSchema>['problems'], document: SourceDocument, base: Path): void {
    for (const { severity, path, message } of problems) {
      this.problems.push(document.problem(severity, [...base, ...path], message));
    }
  }

  #reportUnknownKeys(json: unknown, document: SourceDocument, path: Path): void {
    const visit = (value: unknown, known: ReadonlySet<string>, at: Path): void => {
      if (!isObject(value)) return;
      for (const key of Object.keys(value).filter((candidate) => !known.has(candidate))) {
        const near = nearest(key, known);
        const hint = near === undefined ? `Possible: ${[...known].join(', ')}.` : `Did you mean "${near}"?`;
        const message = `"${key}" is no property of a schema (RFC 7643 §7) and has no effect. ${hint}`;
        this.problems.push(document.problem('warning', [...at, key], message, 'key'));
      }
      for (const list of ['attributes', 'subAttributes']) {
        const items = value[list];
        if (!Array.isArray(items)) continue;
        for (const [index, item] of items.entries()) visit(item, attributeKeys, [...at, list, index]);
      }
    };
    visit(json, schemaKeys, path);
  }
}

function isSamePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((segment, index) => segment === b[index]);
}
