import fc from 'fast-check';
import type { BackendRecord, ChildRecord, EntityUse, FieldUse, FieldValue, Scalar } from '../../src/backend/adapter.js';
import type { MappingConfig, RuleConfig } from '../../src/mapping/rule.js';
import type { AttributePath } from '../../src/scim/attribute-path.js';
import { allOf, anyOf, type CompareOp, type CompareValue, type Filter } from '../../src/scim/filter.js';
import { enterpriseSchema, groupType, schemaOf, userTypeWith } from '../support/test-service.js';

export const acmeUrn = 'urn:example:params:scim:schemas:extension:acme:2.1:User';
export const enterpriseUrn = enterpriseSchema.id;

/** An extension with an attribute of every type. */
const acmeSchema = schemaOf(
  {
    id: acmeUrn,
    name: 'Acme',
    attributes: [
      { name: 'badge', caseExact: true },
      { name: 'level', type: 'integer' },
      { name: 'rate', type: 'decimal' },
      { name: 'hired', type: 'dateTime' },
      { name: 'key', type: 'binary' },
      { name: 'remote', type: 'boolean' },
      { name: 'nicknames', multiValued: true },
      { name: 'scores', type: 'integer', multiValued: true },
      {
        name: 'car',
        type: 'complex',
        subAttributes: [{ name: 'plate' }, { name: 'seats', type: 'integer' }, { name: 'brand' }],
      },
    ],
  },
  'extension',
);

/** User with the enterprise extension and the one above. */
export const sampleType = userTypeWith(enterpriseSchema, acmeSchema);

type Rules = Readonly<Record<string, string | RuleConfig>>;

/** Each entry: the ways in which one part of the type may be mapped. */
const choices: readonly (readonly Rules[])[] = [
  [{ userName: 'uid' }, { userName: { field: 'uid', fallback: '{displayName ?? title}' } }],
  [{}, { displayName: 'cn' }, { displayName: { field: 'cn', fallback: '{name.givenName} {userName}' } }],
  [
    {},
    { title: 'title' },
    { title: { field: 'title', codec: { name: 'switch', map: { A: ['x', 'b'], B: 'ab' } } } },
    { title: { field: 'title', codec: { name: 'switch', map: { A: 'x', B: ['ab', 'a'] }, default: 'Z' } } },
  ],
  [{}, { externalId: 'ext' }],
  [{}, { userType: { field: 'kinds', multiple: true } }, { userType: { constant: 'Staff' } }],
  [
    {},
    { active: 'enabled' },
    { active: { field: 'enabledText', codec: 'booleanText' } },
    { active: { field: 'disabled', codec: 'inverted' } },
    { active: { field: 'uac', codec: 'adAccountEnabled' } },
    { active: { field: 'flag', codec: 'booleanNumber' } },
    { active: { field: 'lock', codec: 'nsAccountLock' } },
    { active: { constant: true } },
  ],
  [
    {},
    { 'name.givenName': 'gn' },
    {
      'name.givenName': 'gn',
      'name.familyName': 'sn',
      'name.formatted': { field: 'full', fallback: '{name.givenName}' },
    },
    { 'name.givenName': 'gn', 'name.honorificPrefix': { constant: 'Dr' } },
    { 'name.honorificPrefix': { constant: 'Dr' } },
  ],
  [
    {},
    { 'emails.value': 'mail' },
    { emails: 'mails' },
    { 'emails[type eq "work"].value': 'mail', 'emails[type eq "other"].value': { field: 'mails', multiple: true } },
    {
      'emails[type eq "work"].value': { field: 'mail', fallback: '{userName}' },
      'emails[type eq "home"].value': 'mail2',
      'emails[type eq "home"].display': 'mail2Text',
    },
    { 'emails[type eq "work" and primary eq true].value': 'mail', 'emails[type eq "home"].value': 'mail2' },
    { emails: { field: 'mailRows', records: 'all' } },
    { emails: { field: 'mailRows', records: { value: 'address', type: 'kind' } } },
  ],
  [
    {},
    {
      'addresses[type eq "work"].locality': 'city',
      'addresses[type eq "work"].country': 'country',
      'addresses[type eq "home"].locality': 'homeCity',
    },
    { 'addresses[type eq "work"].formatted': { field: 'address', codec: { name: 'join', separator: ';' } } },
  ],
  [{}, { department: 'dept' }, { department: { field: 'kinds', readOnly: true } }],
  [
    {},
    { manager: { field: 'boss', reference: { to: ['User'] } } },
    { manager: { field: 'boss', reference: { to: ['User'], unknownReference: 'drop', display: 'userName' } } },
    { manager: { field: 'bossName', reference: { to: ['User'], by: 'uid' } } },
  ],
  [{}, { badge: 'badge' }],
  [{}, { level: 'level' }, { level: { field: 'levelText', codec: 'numberText' } }],
  [{}, { rate: 'rate' }],
  [{}, { hired: 'hired' }, { hired: { field: 'hiredAt', codec: 'epochSeconds' } }],
  [{}, { key: 'key' }],
  [{}, { remote: 'remote' }],
  [
    {},
    { nicknames: 'nicks' },
    { nicknames: { field: 'nickText', codec: { name: 'join', separator: ',' } } },
    { nicknames: { field: 'nicks', codec: { name: 'switch', map: { A: 'a', B: ['ab', 'b'] }, default: 'Z' } } },
  ],
  [{}, { scores: 'scores' }],
  [{}, { 'car.plate': 'plate', 'car.seats': 'seats' }, { 'car.plate': 'plate', 'car.brand': { constant: 'b' } }],
];

export const anyMapping: fc.Arbitrary<MappingConfig> = fc
  .tuple(...choices.map((ways) => fc.constantFrom(...ways)))
  .map((parts) => Object.assign({}, ...parts) as MappingConfig);

/** Rules that say more about writing: templates, allowed values, values that clear, one-way rules. */
const writingChoices: readonly (readonly Rules[])[] = [
  [{}, { displayName: { field: 'cn', template: '{name.givenName} {title}' } }],
  [{}, { title: { field: 'title', values: ['A', 'B'], onUnknown: 'default', default: 'A' } }],
  [{}, { title: { field: 'title', clearOn: ['b'] } }, { 'name.formatted': { field: 'full', readOnly: true } }],
  [
    {},
    {
      'emails[type eq "work"].value': { field: 'mail', clearOn: ['AB', 'x'] },
      'emails[type eq "home"].value': 'mail2',
    },
  ],
  [
    {},
    {
      'emails[type eq "work"].value': 'mail',
      'emails[type eq "work"].primary': 'mailIsPrimary',
      'emails[type eq "home"].value': { field: 'mail2', defaultSlot: true },
      'emails[type eq "home"].primary': 'mail2IsPrimary',
    },
    {
      'emails[type eq "work"].value': 'mail',
      'emails[type eq "work"].primary': { constant: true },
      'emails[type eq "home"].value': { field: 'mail2', defaultSlot: true },
      'emails[type eq "home"].display': 'mail2Text',
    },
  ],
];

/** Mappings for writing: as `anyMapping`, some attributes with more to say. */
export const patchMapping: fc.Arbitrary<MappingConfig> = fc
  .tuple(anyMapping, ...writingChoices.map((ways) => fc.constantFrom(...ways)))
  .map(([mapping, ...more]) => {
    const added = Object.assign({}, ...more) as Rules;
    const replaced = new Set(Object.keys(added).map(firstWord));
    const kept = Object.entries(mapping).filter(([key]) => !replaced.has(firstWord(key)));
    return { ...Object.fromEntries(kept), ...added } as MappingConfig;
  });

function firstWord(key: string): string {
  return key.split(/[.[]/)[0] ?? key;
}

export const sampleGroupType = groupType;

const groupChoices: readonly (readonly Rules[])[] = [
  [{ displayName: 'cn' }, { displayName: { field: 'cn', fallback: '{externalId}' } }],
  [{}, { externalId: 'ext' }],
  [
    { members: { field: 'member', reference: { to: ['User', 'Group'] } } },
    { members: { field: 'member', reference: { to: ['User'], unknownReference: 'drop', display: 'userName' } } },
    { members: { field: 'memberName', reference: { to: ['User'], by: 'uid' } } },
    {
      members: {
        field: 'memberRows',
        records: { value: 'id', type: 'kind' },
        reference: { to: ['User', 'Group'], type: 'kind' },
      },
    },
    {
      members: { field: 'memberRows', records: { value: 'id' }, reference: { to: ['User'], unknownReference: 'drop' } },
    },
  ],
];

export const anyGroupMapping: fc.Arbitrary<MappingConfig> = fc
  .tuple(...groupChoices.map((ways) => fc.constantFrom(...ways)))
  .map((parts) => Object.assign({}, ...parts) as MappingConfig);

/** Few values each, so that filters match now and then; with spellings that are equal and not the same. */
const texts = ['a', 'A', 'ab', 'AB', 'b', 'é', 'e\u0301', 'É', 'x', 'TRUE', 'true', 'a,b', '', 'ß', '😀', 'ａ'];
const numbers = [0, 1, 2, 9, 512, 514, -1.5];
const instants = ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00.5Z', '2019-12-31T23:59:59Z'];
const byteTexts = ['', 'YQ==', 'YWI=', 'AAE='];

/** Different in every comparison, since references hold them. */
export const userNames = ['a', 'B', 'é', 'x y', 'b"\\', '😀', 'ß', 'ab'];

function scalarFor(type: FieldUse['type']): fc.Arbitrary<Scalar> {
  switch (type) {
    case 'number':
      return fc.constantFrom(...numbers);
    case 'boolean':
      return fc.boolean();
    case 'instant':
      return fc.constantFrom(...instants);
    case 'bytes':
      return fc.constantFrom(...byteTexts).map((text) => new Uint8Array(Buffer.from(text, 'base64')));
    default:
      return fc.constantFrom(...texts);
  }
}

/** What a child field, or the one value of a field, may hold. References name records, or nothing. */
function partFor({ name, type, reference }: FieldUse, ids: readonly string[]): fc.Arbitrary<Scalar> {
  if (name === 'kind' && ids.length > 2) return fc.constant('User');
  if (reference === undefined) return scalarFor(type);
  return reference.by === '$id' ? fc.constantFrom(...ids, 'nobody') : fc.constantFrom(...userNames, 'nobody', '');
}

function valueFor(use: FieldUse, ids: readonly string[]): fc.Arbitrary<FieldValue | undefined> {
  if (use.type === 'records') {
    const children = use.children ?? [];
    // A row that should refer to something always does.
    const requiredKeys = children.filter(({ reference }) => reference !== undefined).map(({ name }) => name);
    const child = fc.record(Object.fromEntries(children.map((part) => [part.name, partFor(part, ids)])), {
      requiredKeys,
    });
    return fc
      .array(child as fc.Arbitrary<ChildRecord>, { maxLength: 3 })
      .map((rows) => rows.filter((row) => Object.keys(row).length > 0))
      .map((rows) => (rows.length === 0 ? undefined : rows));
  }
  const scalar = partFor(use, ids);
  if (use.name === 'uac') return fc.constantFrom(512, 514, 66_050, undefined);
  if (!use.multiple) return fc.option(scalar, { nil: undefined });
  return fc
    .uniqueArray(scalar, { maxLength: 3, selector: String })
    .map((values) => (values.length === 0 ? undefined : (values as readonly Scalar[])));
}

/** A record of the entity. Fields are there or not; texts may be empty. */
export function recordOf(use: EntityUse, ids: readonly string[]): fc.Arbitrary<BackendRecord> {
  const fields = use.fields.map((field) => [field.name, valueFor(field, ids)] as const);
  return fc
    .record(Object.fromEntries(fields))
    .map(
      (record) =>
        Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as BackendRecord,
    );
}

const textOps: readonly CompareOp[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];
const orderOps: readonly CompareOp[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];

type Choice = readonly [path: string, ops: readonly CompareOp[], values: fc.Arbitrary<CompareValue>];

const text = fc.constantFrom<CompareValue>(...texts, 'A', 'B', 'Z', 'work', 'Staff', 'Dr');
const number = fc.constantFrom<CompareValue>(...numbers);
const yesNo = fc.constantFrom<CompareValue>(true, false, 'True');
const instant = fc.constantFrom<CompareValue>(...instants, '2020-01-01T01:00:00+01:00');
const type = fc.constantFrom<CompareValue>('work', 'WORK', 'home', 'other');

/** Paths by the rules that make them filterable: `path` is asked of the mapping by its first word. */
const paths: readonly Choice[] = [
  ['userName', textOps, text],
  ['displayName', textOps, text],
  ['title', textOps, text],
  ['externalId', textOps, text],
  ['userType', textOps, text],
  ['active', ['eq', 'ne'], yesNo],
  ['name.givenName', textOps, text],
  ['name.familyName', textOps, text],
  ['name.formatted', textOps, text],
  ['name.honorificPrefix', textOps, text],
  ['emails', textOps, text],
  ['emails.value', textOps, text],
  ['emails.type', textOps, type],
  ['emails.primary', ['eq', 'ne'], yesNo],
  ['addresses.locality', textOps, text],
  ['addresses.country', textOps, text],
  ['addresses.formatted', textOps, text],
  ['department', textOps, text],
  ['manager', ['eq', 'ne'], fc.constantFrom<CompareValue>('1', '2', 'nobody', 'NOBODY')],
  ['manager.displayName', textOps, text],
  [`${acmeUrn}:badge`, textOps, text],
  [`${acmeUrn}:level`, orderOps, number],
  [`${acmeUrn}:rate`, orderOps, number],
  [`${acmeUrn}:hired`, orderOps, instant],
  [`${acmeUrn}:key`, ['eq', 'ne', 'co', 'sw'], fc.constantFrom<CompareValue>('YQ==', 'YWI=', 'YWI', '', 'Y')],
  [`${acmeUrn}:remote`, ['eq', 'ne'], yesNo],
  [`${acmeUrn}:nicknames`, textOps, text],
  [`${acmeUrn}:scores`, orderOps, number],
  [`${acmeUrn}:car.plate`, textOps, text],
  [`${acmeUrn}:car.seats`, orderOps, number],
  [`${acmeUrn}:car.brand`, textOps, text],
  ['id', orderOps, fc.constantFrom<CompareValue>('1', '2', 'A')],
  ['meta.created', orderOps, instant],
  ['meta.resourceType', ['eq', 'ne'], fc.constantFrom<CompareValue>('User', 'user')],
  ['schemas', ['eq', 'ne'], fc.constantFrom<CompareValue>(acmeUrn, enterpriseUrn, sampleType.schema.id, 'urn:x:y')],
];

const elementPaths: Readonly<Record<string, readonly Choice[]>> = {
  emails: [
    ['value', textOps, text],
    ['type', textOps, type],
    ['primary', ['eq', 'ne'], yesNo],
    ['display', textOps, text],
  ],
  addresses: [
    ['locality', textOps, text],
    ['country', textOps, text],
    ['type', textOps, type],
    ['formatted', textOps, text],
  ],
  name: [
    ['givenName', textOps, text],
    ['familyName', textOps, text],
    ['honorificPrefix', textOps, text],
  ],
  [`${acmeUrn}:car`]: [
    ['plate', textOps, text],
    ['seats', orderOps, number],
    ['brand', textOps, text],
  ],
  [`${acmeUrn}:nicknames`]: [['value', textOps, text]],
  manager: [['value', ['eq', 'ne'], fc.constantFrom<CompareValue>('1', '2', 'nobody')]],
};

const wholePaths = ['name', 'emails', 'addresses', 'manager', 'meta', `${acmeUrn}:car`, `${acmeUrn}:nicknames`];

function termOver(choices: readonly Choice[]): fc.Arbitrary<Filter<AttributePath>> {
  return fc.constantFrom(...choices).chain(([path, ops, values]) =>
    fc.oneof(
      { weight: 1, arbitrary: fc.constant<Filter<AttributePath>>({ kind: 'present', path: { text: path } }) },
      {
        weight: 5,
        arbitrary: fc
          .tuple(fc.constantFrom(...ops), fc.oneof({ weight: 9, arbitrary: values }, fc.constant(null)))
          .filter(([op, value]) => value !== null || op === 'eq' || op === 'ne')
          .map(([op, value]): Filter<AttributePath> => ({ kind: 'compare', path: { text: path }, op, value })),
      },
    ),
  );
}

function logicOver(term: fc.Arbitrary<Filter<AttributePath>>, maxDepth: number): fc.Arbitrary<Filter<AttributePath>> {
  return fc.letrec<{ filter: Filter<AttributePath> }>((tie) => ({
    filter: fc.oneof(
      { maxDepth, withCrossShrink: true },
      { arbitrary: term, weight: 4 },
      { arbitrary: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }).map(allOf), weight: 2 },
      { arbitrary: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }).map(anyOf), weight: 2 },
      { arbitrary: tie('filter').map((operand): Filter<AttributePath> => ({ kind: 'not', operand })), weight: 2 },
    ),
  })).filter;
}

/** Filters over everything that some mapping maps; what the one at hand does not map is refused. */
export function userFilter(ids: readonly string[]): fc.Arbitrary<Filter<AttributePath>> {
  return filterOver(paths, elementPaths, wholePaths, ids);
}

export function groupFilter(ids: readonly string[]): fc.Arbitrary<Filter<AttributePath>> {
  const id = fc.constantFrom<CompareValue>(...ids, 'nobody');
  const kind = fc.constantFrom<CompareValue>('User', 'user', 'Group');
  return filterOver(
    [
      ['displayName', textOps, text],
      ['externalId', textOps, text],
      ['members', ['eq', 'ne'], id],
      ['members.value', ['eq', 'ne', 'sw'], id],
      ['members.type', ['eq', 'ne'], kind],
      ['members.display', textOps, text],
      ['id', orderOps, id],
    ],
    {
      members: [
        ['value', ['eq', 'ne'], id],
        ['type', ['eq', 'ne'], kind],
        ['display', textOps, text],
      ],
    },
    ['members'],
    ids,
  );
}

function filterOver(
  known: readonly Choice[],
  elements: Readonly<Record<string, readonly Choice[]>>,
  whole: readonly string[],
  ids: readonly string[],
): fc.Arbitrary<Filter<AttributePath>> {
  const id = fc.constantFrom<CompareValue>(...ids, 'A');
  const all: readonly Choice[] = known.map((choice) => (choice[0] === 'id' ? [choice[0], choice[1], id] : choice));
  const valuePaths = Object.entries(elements).map(([attribute, parts]) =>
    logicOver(termOver(parts), 2).map(
      (filter): Filter<AttributePath> => ({ kind: 'valuePath', path: { text: attribute }, filter }),
    ),
  );
  const present = whole.map(
    (path): fc.Arbitrary<Filter<AttributePath>> => fc.constant({ kind: 'present', path: { text: path } }),
  );
  const term = fc.oneof(
    { weight: 6, arbitrary: termOver(all) },
    ...[...valuePaths, ...present].map((arbitrary) => ({ weight: 1, arbitrary })),
  );
  return logicOver(term, 3);
}

/** Paths that something may be sorted by. */
export const sortPaths: readonly string[] = [
  ...paths.map(([path]) => path).filter((path) => path !== 'manager'),
  'meta.lastModified',
];
