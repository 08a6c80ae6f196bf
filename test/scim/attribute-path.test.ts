import { describe, expect, it } from 'vitest';
import userJson from '../../schemas/rfc7643/User.json' with { type: 'json' };
import { leafOf, resolvePath } from '../../src/scim/attribute-path.js';
import { createResourceType, type ResourceType } from '../../src/scim/schema.js';
import { acmeUrn, enterpriseUrn, personType, schemaOf, userUrn } from './person-type.js';

/** What a path names, in the schema's spelling; the schema's URN in angle brackets for a URN alone. */
function resolved(text: string, type: ResourceType = personType): string | undefined {
  const found = resolvePath(type, text);
  switch (found.kind) {
    case 'attribute':
      return leafOf(found.path).path;
    case 'schema':
      return `<${found.schema.id}>`;
    case 'unknown':
      return undefined;
  }
}

describe('resolvePath', () => {
  it.each([
    ['userName', 'userName', '7644-3.10-02'],
    ['USERNAME', 'userName', '7644-3.10-04'],
    ['name.givenName', 'name.givenName', '7644-3.10-01'],
    ['Name.GIVENNAME', 'name.givenName', '7644-3.10-04'],
    [`${userUrn}:userName`, 'userName', '7644-3.10-01 7644-3.10-02'],
    [`${userUrn}:name.givenName`, 'name.givenName', '7644-3.10-01'],
    [`${userUrn}:meta.created`, 'meta.created', '7644-3.10-01'],
    ['URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:USERNAME', 'userName', '7644-3.10-04'],
    [`${enterpriseUrn}:department`, `${enterpriseUrn}:department`, '7644-3.10-03'],
    [`${enterpriseUrn}:manager.$ref`, `${enterpriseUrn}:manager.$ref`, '7643-2.1-04'],
    ['department', `${enterpriseUrn}:department`, '7644-3.10-03'],
    ['manager.displayname', `${enterpriseUrn}:manager.displayName`, '7644-3.10-03'],
    [`${acmeUrn}:desks.$REF`, `${acmeUrn}:desks.$ref`, '7643-2.1-04'],
    [enterpriseUrn, `<${enterpriseUrn}>`, '7644-3.10-01'],
    [userUrn.toUpperCase(), `<${userUrn}>`, '7644-3.10-04'],
  ])('finds %s as %s [%s]', (text, expected) => {
    expect(resolved(text)).toBe(expected);
  });

  it.each([
    'nosuch',
    'name.nosuch',
    'name.givenName.x',
    'userName.value',
    '',
    '.',
    'name.',
    `${userUrn}:department`,
    `${enterpriseUrn}:userName`,
    `${enterpriseUrn}:nosuch`,
    `${enterpriseUrn}:`,
    'urn:ietf:params:scim:schemas:core:2.0:Use',
    'urn:x:y:userName',
    'x:userName',
  ])('does not find %j [7644-3.4.2.2-31]', (text) => {
    expect(resolved(text)).toBeUndefined();
  });

  it('keeps the resolved attribute and sub-attribute apart', () => {
    const found = resolvePath(personType, 'emails.type');
    expect(found).toMatchObject({ kind: 'attribute', path: { attribute: { name: 'emails' }, sub: { name: 'type' } } });
  });

  it('prefers the longest URN, and takes names that begin like one for names', () => {
    const longer = 'urn:example:base:more';
    const type = createResourceType({
      name: 'User',
      endpoint: '/Users',
      schema: schemaOf(userJson, 'core'),
      extensions: [
        {
          schema: schemaOf({ id: 'urn:example:base', attributes: [{ name: 'more' }, { name: 'urnary' }] }, 'extension'),
          required: false,
        },
        {
          schema: schemaOf({ id: longer, attributes: [{ name: 'x' }, { name: 'httpProxy' }] }, 'extension'),
          required: false,
        },
      ],
    });
    expect(resolved(longer, type)).toBe(`<${longer}>`);
    expect(resolved(`${longer}:x`, type)).toBe(`${longer}:x`);
    expect(resolved('urn:example:base:urnary', type)).toBe('urn:example:base:urnary');
    expect(resolved('httpProxy', type)).toBe(`${longer}:httpProxy`);
    expect(resolved('urnary', type)).toBe('urn:example:base:urnary');
  });
});
