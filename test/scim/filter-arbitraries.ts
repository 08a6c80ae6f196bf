import fc from 'fast-check';
import type { AttributePath } from '../../src/scim/attribute-path.js';
import { allOf, anyOf, type CompareOp, type CompareValue, type Filter } from '../../src/scim/filter.js';
import {
  type Attribute,
  type AttributeType,
  createResourceType,
  type JsonValue,
  type Resource,
  type ResourceType,
} from '../../src/scim/schema.js';
import { schemaOf } from './person-type.js';

/** Few values each, so that filters match now and then; with spellings that are equal and not the same. */
export const texts = ['a', 'A', 'ab', 'é', 'e\u0301', 'É', 'b"\\', '😀', '\uffee', 'Ａ', ''] as const;
const instants = [
  '2020-01-01T00:00:00Z',
  '2020-01-01T01:00:00.0+01:00',
  '2020-01-01T00:00:00.5Z',
  '2019-12-31T23:59:59-01:00',
] as const;
const numbers = [0, 1, 9, 10, -1.5, 1e21] as const;

export const compareOps: readonly CompareOp[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];

const attributeName = fc
  .stringMatching(/^[A-Za-z$][A-Za-z0-9$_-]{0,6}$/)
  .filter((name) => !['and', 'or', 'not', 'schemas', 'id', 'externalid', 'meta'].includes(name.toLowerCase()));

const simpleTypes: readonly AttributeType[] = [
  'string',
  'boolean',
  'integer',
  'decimal',
  'dateTime',
  'binary',
  'reference',
];

const simpleAttribute = fc.record({
  name: attributeName,
  type: fc.constantFrom(...simpleTypes),
  multiValued: fc.boolean(),
  caseExact: fc.boolean(),
});

const uniqueNames = {
  selector: (attribute: { name: string }) => attribute.name.toLowerCase(),
  minLength: 1,
  maxLength: 4,
};

const complexAttribute = fc.record({
  name: attributeName,
  type: fc.constant('complex' as const),
  multiValued: fc.boolean(),
  subAttributes: fc.uniqueArray(simpleAttribute, uniqueNames),
});

/** Resource types with a core schema and one extension, whose attributes may have the same names. */
export const anyResourceType: fc.Arbitrary<ResourceType> = fc
  .tuple(
    fc.uniqueArray(fc.oneof(simpleAttribute, complexAttribute), uniqueNames),
    fc.uniqueArray(fc.oneof(simpleAttribute, complexAttribute), uniqueNames),
  )
  .map(([core, extension]) =>
    createResourceType({
      name: 'Thing',
      endpoint: '/Things',
      schema: schemaOf({ id: 'urn:example:core:2.0:Thing', attributes: core }, 'core'),
      extensions: [
        {
          schema: schemaOf({ id: 'urn:example:extension:2.0:Thing', attributes: extension }, 'extension'),
          required: false,
        },
      ],
    }),
  );

export function valueFor(attribute: Attribute): fc.Arbitrary<JsonValue> {
  switch (attribute.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'decimal':
      return fc.constantFrom(...numbers);
    case 'dateTime':
      return fc.constantFrom(...instants);
    case 'complex':
      return objectOf(attribute.subAttributes);
    default:
      return fc.constantFrom(...texts);
  }
}

function objectOf(attributes: readonly Attribute[]): fc.Arbitrary<Resource> {
  const members = attributes.map((attribute) => {
    const value = valueFor(attribute);
    return [attribute.name, attribute.multiValued ? fc.array(value, { maxLength: 3 }) : value] as const;
  });
  return fc.record(Object.fromEntries(members), { requiredKeys: [] }).map((object) => object as Resource);
}

/** Attributes of the core schema and of extensions where they belong, each there or not. */
export function resourceOf(type: ResourceType): fc.Arbitrary<Resource> {
  const core = objectOf(type.attributes.filter((attribute) => !attribute.inExtension));
  const extensions = type.extensions.map(({ schema }) => objectOf(schema.attributes));
  return fc.tuple(core, ...extensions).map(([resource, ...more]) => ({
    ...resource,
    ...Object.fromEntries(type.extensions.map(({ schema }, index) => [schema.id, more[index] ?? {}])),
  }));
}

const structures = { maxDepth: 4, depthIdentifier: 'filter' } as const;

function combine(term: fc.Arbitrary<Filter<AttributePath>>): fc.Arbitrary<Filter<AttributePath>> {
  return fc.letrec<{ filter: Filter<AttributePath> }>((tie) => ({
    filter: fc.oneof(
      { ...structures, withCrossShrink: true },
      { arbitrary: term, weight: 3 },
      { arbitrary: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }).map(allOf), weight: 1 },
      { arbitrary: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }).map(anyOf), weight: 1 },
      { arbitrary: tie('filter').map((operand): Filter<AttributePath> => ({ kind: 'not', operand })), weight: 1 },
    ),
  })).filter;
}

function termOf(
  paths: readonly { readonly text: string; readonly leaf: Attribute }[],
): fc.Arbitrary<Filter<AttributePath>> {
  return fc.constantFrom(...paths).chain(({ text, leaf }) => {
    const path = { text };
    const value: fc.Arbitrary<CompareValue> =
      leaf.type === 'complex'
        ? fc.constant(null)
        : fc.oneof(
            { weight: 5, arbitrary: valueFor(leaf) as fc.Arbitrary<CompareValue> },
            { weight: 1, arbitrary: fc.constant(null) },
          );
    return fc.oneof(
      fc.constant<Filter<AttributePath>>({ kind: 'present', path }),
      fc
        .tuple(fc.constantFrom(...operatorsOf(leaf)), value)
        .map(([op, literal]): Filter<AttributePath> => ({ kind: 'compare', path, op, value: literal })),
    );
  });
}

/** Operators that the attribute's type has (RFC 7644 Table 3); a complex one can only be compared with null. */
function operatorsOf(leaf: Attribute): readonly CompareOp[] {
  switch (leaf.type) {
    case 'complex':
    case 'boolean':
      return ['eq', 'ne'];
    case 'binary':
      return ['eq', 'ne', 'co', 'sw', 'ew'];
    case 'integer':
    case 'decimal':
    case 'dateTime':
      return ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
    default:
      return compareOps;
  }
}

/** Filters that the resource type accepts, over its full paths, with value paths. */
export function filterOf(type: ResourceType): fc.Arbitrary<Filter<AttributePath>> {
  const own = type.attributes.filter((attribute) => attribute.schema !== undefined);
  const paths = own.flatMap((attribute) => [
    { text: attribute.path, leaf: attribute },
    ...attribute.subAttributes.map((sub) => ({ text: sub.path, leaf: sub })),
  ]);
  const valuePaths = own
    .filter((attribute) => attribute.type === 'complex')
    .map((attribute) =>
      combine(termOf(attribute.subAttributes.map((leaf) => ({ text: leaf.name, leaf })))).map(
        (filter): Filter<AttributePath> => ({ kind: 'valuePath', path: { text: attribute.path }, filter }),
      ),
    );
  return combine(fc.oneof(termOf(paths), ...valuePaths));
}

/** A resource type, a filter on it and a resource of it. */
export const anyCase = anyResourceType.chain((type) =>
  fc.record({ type: fc.constant(type), filter: filterOf(type), resource: resourceOf(type) }),
);
