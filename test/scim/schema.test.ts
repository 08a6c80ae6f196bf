import { describe, expect, it } from 'vitest';
import groupJson from '../../schemas/rfc7643/Group.json' with { type: 'json' };
import userJson from '../../schemas/rfc7643/User.json' with { type: 'json' };
import {
  type Attribute,
  commonAttributes,
  createResourceType,
  isMultiComplex,
  parseSchema,
  parseSchemaUri,
  subAttribute,
} from '../../src/scim/schema.js';
import { acmeJson, acmeUrn, enterpriseUrn, personType, schemaOf, userUrn } from './person-type.js';

const withAttributes = (...attributes: unknown[]) => parseSchema({ id: 'urn:example:x', attributes }, 'extension');
const everyAttribute = (attributes: readonly Attribute[]): readonly Attribute[] =>
  attributes.flatMap((attribute) => [attribute, ...everyAttribute(attribute.subAttributes)]);

describe('parseSchema', () => {
  it('fills in the characteristics that are not stated [7643-2.2-01]', () => {
    expect(withAttributes({ name: 'badge' }).schema?.attributes).toEqual([
      {
        name: 'badge',
        type: 'string',
        multiValued: false,
        description: 'badge',
        required: false,
        caseExact: false,
        mutability: 'readWrite',
        returned: 'default',
        uniqueness: 'none',
        canonicalValues: undefined,
        referenceTypes: undefined,
        subAttributes: [],
        schema: 'urn:example:x',
        inExtension: true,
        path: 'urn:example:x:badge',
        parent: undefined,
      },
    ]);
  });

  it('takes references and binary values as caseExact whatever the schema prints [7643-2.3.7-04 7643-2.3.6-02]', () => {
    const { schema } = withAttributes(
      { name: 'a', type: 'reference', caseExact: false },
      { name: 'b', type: 'binary' },
    );
    expect(schema?.attributes.map((attribute) => attribute.caseExact)).toEqual([true, true]);
    const references = everyAttribute(personType.attributes).filter((attribute) => attribute.type === 'reference');
    expect(references.length).toBeGreaterThan(3);
    expect(references.every((attribute) => attribute.caseExact)).toBe(true);
  });

  it('takes what is writeOnly as never returned', () => {
    expect(withAttributes({ name: 'pin', mutability: 'writeOnly' }).schema?.attributes[0]?.returned).toBe('never');
  });

  it.each<[attribute: unknown, rows: string]>([
    [{ name: 'a', type: 'uuid' }, '7643-2.3-01'],
    [{ name: 'a', type: 'string', subAttributes: [{ name: 'b' }] }, '7643-1.2-01'],
    [{ name: 'a', type: 'complex' }, '7643-7-type-01'],
    [{ name: 'a', type: 'complex', subAttributes: [] }, '7643-7-type-01'],
    [
      { name: 'a', type: 'complex', subAttributes: [{ name: 'b', type: 'complex', subAttributes: [{ name: 'c' }] }] },
      '7643-2.3.8-01',
    ],
    [{ name: '1abc' }, '7643-2.1-03'],
    [{ name: 'a.b' }, '7643-2.1-03'],
    [{ name: '' }, '7643-2.1-03'],
    [{ type: 'string' }, '7643-2.1-03'],
    [{ name: 'a', mutability: 'sometimes' }, '7643-2.2-01'],
    [{ name: 'a', multiValued: 'true' }, '7643-2.2-01'],
    [{ name: 'a', canonicalValues: [1] }, '7643-2.2-01'],
    ['a', '7643-2.2-01'],
  ])('refuses the attribute %j [%s]', (attribute) => {
    const { schema, problems } = withAttributes(attribute);
    expect(schema).toBeUndefined();
    expect(problems[0]).toMatchObject({ severity: 'error' });
    expect(problems[0]?.path.slice(0, 2)).toEqual(['attributes', 0]);
  });

  it('takes binary sub-attributes and $ref [7643-2.3.8-02 7643-2.1-04]', () => {
    const attribute = {
      name: 'a',
      type: 'complex',
      subAttributes: [{ name: 'value', type: 'binary' }, { name: '$ref' }],
    };
    expect(withAttributes(attribute).problems).toEqual([]);
  });

  it('refuses a name that is declared twice, in any case [7643-2.1-02]', () => {
    const { problems } = withAttributes({ name: 'badge' }, { name: 'Badge' });
    expect(problems).toMatchObject([{ path: ['attributes', 1, 'name'], severity: 'error' }]);
  });

  it('reports all problems at once, with their place', () => {
    const { problems } = withAttributes({ name: '1' }, { name: 'b', type: 'uuid' }, { name: 'c', required: 'yes' });
    expect(problems.map((problem) => problem.path)).toEqual([
      ['attributes', 0, 'name'],
      ['attributes', 1, 'type'],
      ['attributes', 2, 'required'],
    ]);
  });

  it.each([[{}], [{ id: 'User', attributes: [] }], [{ id: 'urn:example:x' }], [null], [[]], ['x']])(
    'refuses %j as a schema',
    (json) => {
      const { schema, problems } = parseSchema(json, 'core');
      expect(schema).toBeUndefined();
      expect(problems).not.toEqual([]);
    },
  );

  it('warns of an extension attribute with a core name', () => {
    const { schema, problems } = withAttributes({ name: 'userName' });
    expect(schema).toBeDefined();
    expect(problems).toMatchObject([{ severity: 'warning', path: ['attributes', 0, 'name'] }]);
  });

  it('gives every attribute of the core schemas a description, and complex ones sub-attributes [7643-7-desc-01 7643-7-type-01]', () => {
    for (const attribute of everyAttribute(personType.attributes)) {
      expect(attribute.description, attribute.path).not.toBe('');
      expect(attribute.subAttributes.length > 0, attribute.path).toBe(attribute.type === 'complex');
    }
  });
});

describe('parseSchemaUri', () => {
  it.each([userUrn, 'URN:example:x', 'http://schemas.example.com/2006/11/Group', 'https://x/y'])('takes %s', (text) => {
    expect(parseSchemaUri(text)).toBe(text);
  });
  it.each(['', 'User', 'urn:', 'urn:x', 'urn:x:', 'urn:x:a b', 'ftp://x', 'urn:x:a[b'])('refuses %j', (text) => {
    expect(parseSchemaUri(text)).toBeUndefined();
  });
});

describe('createResourceType', () => {
  it('has the common attributes once, with the characteristics of RFC 7643 §3.1', () => {
    const named = (name: string) => personType.attributes.filter((attribute) => attribute.path === name);
    for (const common of commonAttributes) expect(named(common.name)).toEqual([common]);
    expect(personType.coreAttribute('ID')).toMatchObject({
      caseExact: true,
      mutability: 'readOnly',
      returned: 'always',
    });
    expect(personType.coreAttribute('externalid')).toMatchObject({ caseExact: true, mutability: 'readWrite' });
  });

  it('finds attributes and schemas in any case [7643-2.1-02 7644-3.10-04]', () => {
    expect(personType.coreAttribute('USERNAME')?.path).toBe('userName');
    expect(personType.coreAttribute('department')).toBeUndefined();
    const enterprise = personType.schemaByUri(enterpriseUrn.toUpperCase());
    expect(enterprise?.id).toBe(enterpriseUrn);
    if (enterprise === undefined) throw new Error('it is declared');
    expect(personType.attributeOf(enterprise, 'DEPARTMENT')?.path).toBe(`${enterpriseUrn}:department`);
    expect(personType.attributeOf(enterprise, 'userName')).toBeUndefined();
    expect(personType.schemaByUri('urn:x:y')).toBeUndefined();
  });

  it('finds a bare extension name only where one extension has it and the core schema does not', () => {
    const second = schemaOf(
      { id: 'urn:example:second', attributes: [{ name: 'badge' }, { name: 'title' }, { name: 'only' }] },
      'extension',
    );
    const type = createResourceType({
      name: 'User',
      endpoint: '/Users',
      schema: schemaOf(userJson, 'core'),
      extensions: [
        { schema: schemaOf(acmeJson, 'extension'), required: false },
        { schema: second, required: true },
      ],
    });
    expect(type.extensionAttribute('ONLY')?.path).toBe('urn:example:second:only');
    expect(type.extensionAttribute('level')?.path).toBe(`${acmeUrn}:level`);
    expect(type.extensionAttribute('badge')).toBeUndefined();
    expect(type.extensionAttribute('title')).toBeUndefined();
  });
});

describe('attributes', () => {
  it('know their sub-attributes, parent and path', () => {
    const emails = personType.coreAttribute('emails');
    if (emails === undefined) throw new Error('Users have emails');
    const type = subAttribute(emails, 'TYPE');
    expect(type?.path).toBe('emails.type');
    expect(type?.parent).toBe(emails);
    expect(subAttribute(emails, 'nosuch')).toBeUndefined();
    expect(isMultiComplex(emails)).toBe(true);
    const members = schemaOf(groupJson, 'core').attributes.find((attribute) => attribute.name === 'members');
    expect(members !== undefined && isMultiComplex(members)).toBe(true);
    expect(personType.attributes.filter((attribute) => attribute.path === 'name' && isMultiComplex(attribute))).toEqual(
      [],
    );
  });
});
