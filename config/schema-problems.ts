import type { ErrorObject } from 'ajv';
import { identifierFrom } from './identifier.js';
import { nearest } from './nearest.js';
import type { Path, Problem } from './problem.js';
import { looksSecret } from './secrets.js';
import type { SourceDocument } from './source.js';

/** The parts of a JSON Schema that messages are made from. */
interface SchemaPart {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly anyOf?: readonly SchemaPart[];
  readonly oneOf?: readonly SchemaPart[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

export interface Finding {
  readonly problem: Problem;
  /** The part that has not the shape that it should have; undefined when all else can still be read. */
  readonly breaks: Path | undefined;
}

/**
 * What ajv found (with `allErrors` and `verbose`), in plain English and with places.
 * @param base where `data` starts inside the document
 */
export function schemaProblems(
  document: SourceDocument,
  base: Path,
  data: unknown,
  errors: readonly ErrorObject[],
): readonly Finding[] {
  return settleUnions(errors)
    .filter((error) => error.propertyName === undefined && error.keyword !== 'if')
    .map((error) => {
      const path = [...base, ...pointerPath(error.instancePath, data)];
      const isHarmless = error.keyword === 'additionalProperties' || error.keyword === 'propertyNames';
      return { problem: toProblem(document, path, error), breaks: isHarmless ? undefined : path };
    });
}

function toProblem(document: SourceDocument, path: Path, error: ErrorObject): Problem {
  const parent = (error.parentSchema ?? {}) as SchemaPart;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(error.params.additionalProperty ?? error.params.unevaluatedProperty);
      const message = unknownKey(key, Object.keys(parent.properties ?? {}));
      return document.problem('error', [...path, key], message, 'key');
    }
    case 'propertyNames': {
      const key = String(error.params.propertyName);
      const rule = (error.schema as SchemaPart).description ?? 'Choose another name.';
      const message = `"${key}" is no possible name here. ${rule}${possibleName(key, path)}`;
      return document.problem('error', [...path, key], message, 'key');
    }
    case 'required': {
      const key = String(error.params.missingProperty);
      const description = parent.properties?.[key]?.description;
      const message = `"${key}" is missing${path.length === 0 ? '' : ` in "${path.at(-1)}"`}.`;
      return document.problem('error', path, description === undefined ? message : `${message} ${description}`, 'key');
    }
    default:
      return document.problem('error', path, valueMessage(nameOf(path), shown(document, path), error, parent));
  }
}

/** What an identifier may be, derived from the name that somebody wanted. */
function possibleName(name: string, path: Path): string {
  const identifier = identifierFrom(name);
  const forPeople = path.length === 1 && path[0] === 'gateways' ? ', with the words for people as its "name"' : '';
  return identifier === undefined ? '' : ` Possible: "${identifier}"${forPeople}.`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `"${key}" is not known here; did you mean "${near}"?`;
  return `"${key}" is not known here. Possible: ${known.join(', ')}.`;
}

function valueMessage(name: string, value: string, error: ErrorObject, parent: SchemaPart): string {
  const { params } = error;
  switch (error.keyword) {
    case 'type':
    case 'anyOf':
    case 'oneOf':
      return `${name} is ${value}; it must be ${describe(parent)}.${numberHint(error, parent)}`;
    case 'enum':
      return `${name} is ${value}; it must be ${describe(parent)}${meant(error)}`;
    case 'const':
      return `${name} is ${value}; it must be ${JSON.stringify(params.allowedValue)}.`;
    case 'pattern':
    case 'format':
      return `${name} is ${value}, which is not possible here.${about(parent)}`;
    case 'minimum':
      return `${name} is ${value}; it must be at least ${params.limit}.`;
    case 'maximum':
      return `${name} is ${value}; it must be at most ${params.limit}.`;
    case 'exclusiveMinimum':
      return `${name} is ${value}; it must be more than ${params.limit}.`;
    case 'exclusiveMaximum':
      return `${name} is ${value}; it must be less than ${params.limit}.`;
    case 'minLength':
      return params.limit === 1 ? `${name} is an empty text.` : `${name} is shorter than ${params.limit} characters.`;
    case 'maxLength':
      return `${name} is longer than ${params.limit} characters.`;
    case 'minItems':
    case 'minProperties':
      return `${name} has too few entries; it needs at least ${params.limit}.`;
    case 'maxItems':
    case 'maxProperties':
      return `${name} has too many entries; it may have ${params.limit} at most.`;
    case 'uniqueItems':
      return `${name} holds the same entry twice.`;
    case 'dependencies':
    case 'dependentRequired':
      return `"${params.property}" in ${name} is only possible together with ${params.deps}.`;
    default:
      return `${name} ${error.message ?? 'is not possible here'}.${about(parent)}`;
  }
}

/** What a schema wants, in words: `text`, `a whole number or "auto"`. */
function describe(schema: SchemaPart): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return either(choices.map(describe));
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return either(schema.enum.map((value) => JSON.stringify(value)));
  return either([schema.type ?? []].flat().map((type) => typeNames[type] ?? type));
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a section of keys and values',
  array: 'a list',
  null: 'empty',
};

function either(choices: readonly string[]): string {
  const unique = [...new Set(choices)];
  return unique.length < 2 ? (unique[0] ?? 'something else') : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1)}`;
}

function meant(error: ErrorObject): string {
  const choices = (error.params.allowedValues as readonly unknown[]).filter((value) => typeof value === 'string');
  const near = typeof error.data === 'string' ? nearest(error.data, choices) : undefined;
  return near === undefined ? '.' : `; did you mean "${near}"?`;
}

function numberHint(error: ErrorObject, parent: SchemaPart): string {
  const wantsNumber = [parent.type].flat().some((type) => type === 'integer' || type === 'number');
  const isNumeric = typeof error.data === 'string' && /^-?\d+(\.\d+)?$/.test(error.data);
  return wantsNumber && isNumeric ? ' Write it without quotes.' : '';
}

function about(schema: SchemaPart): string {
  const description = schema.description === undefined ? '' : ` ${schema.description}`;
  const [example] = schema.examples ?? [];
  return example === undefined ? description : `${description} For example: ${JSON.stringify(example)}.`;
}

function nameOf(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'The file';
  return typeof last === 'number' ? `Entry ${last + 1} of "${path.at(-2)}"` : `"${last}"`;
}

function shown(document: SourceDocument, path: Path): string {
  const value = document.written(path);
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  if (looksSecret(path)) return 'a value that is not shown';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}

/**
 * A value that fits no branch of an anyOf is reported by ajv once per branch. Kept are the errors of the branch that it
 * was meant for: one whose type it has. When there is none, the choice itself is the error.
 */
function settleUnions(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let rest = errors;
  const unions = errors.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf');
  for (const union of [...unions].sort((a, b) => b.schemaPath.length - a.schemaPath.length)) {
    const branches = new Map<string, ErrorObject[]>();
    for (const error of rest) {
      if (error === union || !isBelow(error, union)) continue;
      const branch = error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0] ?? '';
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const meantFor = [...branches.values()]
      .filter((branch) => !branch.some((error) => isMismatch(error, union)))
      .sort((a, b) => a.length - b.length)[0];
    const discarded = new Set([...branches.values()].flat().filter((error) => !meantFor?.includes(error)));
    rest = rest.filter((error) => !discarded.has(error) && !(error === union && meantFor !== undefined));
  }
  return rest;
}

function isBelow(error: ErrorObject, union: ErrorObject): boolean {
  const inValue = error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
  return inValue && error.schemaPath.startsWith(`${union.schemaPath}/`);
}

function isMismatch(error: ErrorObject, union: ErrorObject): boolean {
  return error.instancePath === union.instancePath && ['type', 'const', 'enum'].includes(error.keyword);
}

/** A JSON pointer as a path; positions in lists as numbers. */
function pointerPath(pointer: string, data: unknown): Path {
  let value = data;
  return pointer
    .split('/')
    .slice(1)
    .map((text) => {
      const name = text.replaceAll('~1', '/').replaceAll('~0', '~');
      const segment = Array.isArray(value) ? Number(name) : name;
      value = (value as Readonly<Record<string | number, unknown>> | undefined)?.[segment];
      return segment;
    });
}
