/**
 * What identity providers send beyond the letter of RFC 7644, and what makes one server fit all of them. One rule set
 * serves every caller; nothing guesses who is calling. `strict: true` on a gateway switches exactly these off.
 * `rule` numbers are those of docs/dialects.md.
 */
export const toleranceTable = {
  operationCase: {
    rule: 1,
    summary: 'PATCH "op" values and the keys of messages in any case ("Replace", "operations")',
  },
  stringBooleans: {
    rule: 2,
    summary: '"True" and "false" as text for boolean attributes, in bodies, PATCH values and filters',
  },
  valuePathCreates: {
    rule: 3,
    summary: 'add and replace on a value path of "eq" conditions that matches nothing create the element',
  },
  removeWithValue: { rule: 4, summary: 'remove with a "value" list removes only the elements listed' },
  pathKeys: {
    rule: 5,
    summary: 'keys of a path-less PATCH value may be paths (name.givenName, emails[type eq "work"].value)',
  },
  equalReadOnly: {
    rule: 5,
    summary: '"id" equal to the stored one, "schemas" and "meta" in a path-less PATCH value are ignored',
  },
  simpleReferences: { rule: 7, summary: 'a complex reference (manager) given as plain text' },
  emptyStrings: { rule: 8, summary: 'an empty text means "no value"' },
  unknownSchemas: { rule: 9, summary: 'unknown entries of "schemas" and a missing "schemas" are accepted' },
  unknownAttributes: {
    rule: 9,
    summary: 'attributes of no declared schema are ignored in bodies and path-less PATCH values',
  },
  valuePathComparison: { rule: 10, summary: 'filters of the form attr[filter].sub op value' },
  simpleValuePaths: {
    rule: 10,
    summary: 'value paths on multi-valued attributes that are not complex: schemas[value eq "urn:…"] (erratum 7122)',
  },
  bareExtensionNames: { rule: 10, summary: 'extension attributes without their URN in filters, paths and bodies' },
  freeText: { rule: 14, summary: 'locale, time zone, URL and country are taken as they come' },
  listShapes: { rule: 15, summary: 'an object, a text or a list of texts for a multi-valued complex attribute' },
  emptyOperations: { rule: 16, summary: 'a PATCH without operations succeeds and changes nothing' },
} as const;

export type Tolerance = keyof typeof toleranceTable;

/** Which tolerances are on. */
export interface Dialect {
  readonly tolerates: (tolerance: Tolerance) => boolean;
  readonly strict: boolean;
}

export const tolerantDialect: Dialect = { tolerates: () => true, strict: false };
export const strictDialect: Dialect = { tolerates: () => false, strict: true };
