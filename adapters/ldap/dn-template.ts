import { AdapterError } from '../../src/backend/adapter-error.js';
import { type Dn, DnSyntaxError, formatDn, formatRdn, parseDn, type Rdn } from './dn.js';

/** Text with fields in braces. */
export interface Template {
  readonly parts: readonly (string | { readonly field: string })[];
}

/** The value of a field; undefined where it has none. */
export type FieldText = (field: string) => string | undefined;

/** How entries of an entity are named. */
export interface DnTemplate {
  /** From the entry itself upwards, with templates as values. */
  readonly rdns: readonly (readonly { readonly type: string; readonly value: Template }[])[];
  /** All fields that the name is made of. */
  readonly fields: ReadonlySet<string>;
  /** The one field that is the whole name in a container that is always the same; else undefined. */
  readonly onlyField: string | undefined;
}

export interface RenderedDn {
  readonly dn: string;
  /** Escaped, as `modifyDn` takes it. */
  readonly rdn: string;
  readonly parent: string;
  /** Attributes and values of the entry's own name. */
  readonly parts: Rdn;
}

export function parseTemplate(text: string): Template {
  const parts = text.split(/(\{[^{}]+\})/).filter((part) => part !== '');
  return { parts: parts.map((part) => (part.startsWith('{') ? { field: part.slice(1, -1).trim() } : part)) };
}

/** @throws AdapterError `unsupported` when the template is no DN */
export function parseDnTemplate(text: string): DnTemplate {
  const rdns = dnOf(text).map((rdn) => rdn.map(({ type, value }) => ({ type, value: parseTemplate(value) })));
  const [own = [], ...above] = rdns;
  const ownFields = own.flatMap(({ value }) => fieldsIn(value));
  const aboveFields = above.flat().flatMap(({ value }) => fieldsIn(value));
  const [only] = ownFields;
  const isPlain = own.length === 1 && own[0]?.value.parts.length === 1 && aboveFields.length === 0;
  return {
    rdns,
    fields: new Set([...ownFields, ...aboveFields]),
    onlyField: isPlain ? only : undefined,
  };
}

function dnOf(text: string): Dn {
  try {
    const dn = parseDn(text);
    if (dn.length > 0) return dn;
  } catch (error) {
    if (!(error instanceof DnSyntaxError)) throw error;
  }
  throw new AdapterError('unsupported', `"${text}" is no distinguished name.`);
}

function fieldsIn(template: Template): readonly string[] {
  return template.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.field]));
}

/** @returns undefined when a field of the template has no value */
export function renderTemplate(template: Template, textOf: FieldText): string | undefined {
  let text = '';
  for (const part of template.parts) {
    const value = typeof part === 'string' ? part : textOf(part.field);
    if (value === undefined || value === '') return undefined;
    text += value;
  }
  return text;
}

/** @throws AdapterError `rejected` for a field that is missing or cannot be in a name */
export function renderDn(template: DnTemplate, textOf: FieldText): RenderedDn {
  const rdns = template.rdns.map((rdn) =>
    rdn.map(({ type, value }) => {
      const text = renderTemplate(value, textOf);
      if (text === undefined) throw missing(value, textOf);
      return { type, value: text, field: fieldsIn(value)[0] };
    }),
  );
  for (const { value, field } of rdns.flat()) {
    if (value.includes('\0') || /\p{Surrogate}/u.test(value)) throw unfit(field);
  }
  const [own = [], ...above] = rdns;
  return { dn: formatDn(rdns), rdn: formatRdn(own), parent: formatDn(above), parts: own };
}

function missing(template: Template, textOf: FieldText): AdapterError {
  const field = fieldsIn(template).find((name) => !textOf(name));
  return new AdapterError('rejected', 'The name of the entry cannot be made.', {
    ...(field === undefined ? {} : { field }),
    reason: 'It is needed for the name of the entry in the directory.',
  });
}

function unfit(field: string | undefined): AdapterError {
  return new AdapterError('rejected', 'The value cannot be part of a name.', {
    ...(field === undefined ? {} : { field }),
    reason: 'It has a character that the name of an entry cannot hold.',
  });
}
