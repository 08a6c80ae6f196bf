import fc from 'fast-check';
import type { JsonValue } from '../../src/scim/schema.js';
import { acmeUrn, enterpriseUrn } from './mapping-arbitraries.js';

const word = fc.constantFrom<JsonValue>('a', 'A', 'ab', 'b', 'x', 'é', 'a,b');
const kind = fc.constantFrom<JsonValue>('work', 'Work', 'home', 'other');
const yesNo = fc.constantFrom<JsonValue>(true, false, 'True', 'false');
const number = fc.constantFrom<JsonValue>(0, 1, 9);
const instant = fc.constantFrom<JsonValue>('2020-01-01T00:00:00Z', '2020-01-01T01:00:00+01:00');
const bytes = fc.constantFrom<JsonValue>('YQ==', 'YWI=');
const id = fc.constantFrom<JsonValue>('1', '2', 'nobody');
const nothing = fc.constantFrom<JsonValue>(null, '');

const orNothing = (value: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> =>
  fc.oneof({ weight: 6, arbitrary: value }, nothing);
const listOf = (item: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> =>
  fc.oneof({ weight: 6, arbitrary: fc.array(item, { maxLength: 3 }) }, item);

function objectOf(parts: Readonly<Record<string, fc.Arbitrary<JsonValue>>>): fc.Arbitrary<JsonValue> {
  const members = Object.entries(parts).map(([name, value]) => [name, orNothing(value)] as const);
  return fc
    .record(Object.fromEntries(members), { requiredKeys: [] })
    .map((object) => object as { readonly [key: string]: JsonValue });
}

const emailParts = { value: word, type: kind, primary: yesNo, display: word };
/** A stored address that differs in letter case alone is the same one. */
const place = fc.constantFrom<JsonValue>('a', 'b', 'x');
const addressParts = {
  locality: place,
  country: place,
  type: fc.constantFrom<JsonValue>('work', 'home'),
  formatted: place,
};
const nameParts = { givenName: word, familyName: word, formatted: word, honorificPrefix: word };
const carParts = { plate: word, seats: number, brand: word };

/** What a path may name, with values that fit it more often than not. */
interface Target {
  readonly path: string;
  readonly value: fc.Arbitrary<JsonValue>;
  readonly multiValued?: boolean;
}

const simple: readonly Target[] = [
  { path: 'userName', value: word },
  { path: 'displayName', value: orNothing(word) },
  { path: 'title', value: orNothing(fc.constantFrom<JsonValue>('A', 'B')) },
  { path: 'externalId', value: orNothing(word) },
  { path: 'userType', value: orNothing(word) },
  { path: 'active', value: yesNo },
  { path: 'name.givenName', value: orNothing(word) },
  { path: 'name.familyName', value: orNothing(word) },
  { path: 'NAME.formatted', value: orNothing(word) },
  { path: 'name', value: orNothing(objectOf(nameParts)) },
  { path: 'department', value: orNothing(word) },
  { path: `${enterpriseUrn}:department`, value: orNothing(word) },
  { path: 'manager', value: orNothing(fc.oneof(id, objectOf({ value: id }))) },
  { path: 'manager.value', value: orNothing(id) },
  { path: `${acmeUrn}:badge`, value: orNothing(word) },
  { path: `${acmeUrn}:level`, value: number },
  { path: `${acmeUrn}:hired`, value: orNothing(instant) },
  { path: `${acmeUrn}:key`, value: orNothing(bytes) },
  { path: `${acmeUrn}:remote`, value: yesNo },
  { path: `${acmeUrn}:car`, value: orNothing(objectOf(carParts)) },
  { path: `${acmeUrn}:car.plate`, value: orNothing(word) },
  { path: `${acmeUrn}:nicknames`, value: listOf(word), multiValued: true },
  { path: `${acmeUrn}:scores`, value: listOf(number), multiValued: true },
];

const emailFilters = [
  'type eq "work"',
  'type eq "HOME"',
  'type eq "other"',
  'primary eq "True"',
  'primary eq true and type eq "work"',
  'value eq "a"',
  'value sw "a"',
  'type eq "work" and value eq "b"',
  'type eq "work" or type eq "home"',
  'not (type eq "work")',
  'type ne "home"',
  'display pr',
];
const addressFilters = ['type eq "work"', 'type eq "home"', 'locality eq "a"', 'country pr', 'not (type eq "work")'];

const complexLists: readonly Target[] = [
  { path: 'emails', value: orNothing(listOf(fc.oneof(objectOf(emailParts), word))), multiValued: true },
  ...emailFilters.flatMap((filter): readonly Target[] => [
    { path: `emails[${filter}].value`, value: orNothing(word) },
    { path: `emails[${filter}].display`, value: orNothing(word) },
    // Of several that are moved to one place or made primary, the order of the list would decide, and it has none.
    ...(filter.includes('value eq')
      ? [
          { path: `emails[${filter}].type`, value: kind },
          { path: `emails[${filter}].primary`, value: yesNo },
        ]
      : []),
    { path: `emails[${filter}]`, value: orNothing(objectOf({ value: word, display: word })) },
  ]),
  { path: 'addresses', value: orNothing(listOf(objectOf(addressParts))), multiValued: true },
  ...addressFilters.flatMap((filter): readonly Target[] => [
    { path: `addresses[${filter}].locality`, value: orNothing(place) },
    { path: `addresses[${filter}].country`, value: orNothing(place) },
    { path: `addresses[${filter}]`, value: orNothing(objectOf({ locality: place, country: place })) },
  ]),
  { path: `${acmeUrn}:nicknames[value eq "a"]`, value: word },
];

const targets: readonly Target[] = [...simple, ...complexLists, ...complexLists.slice(0, 8)];

const op = fc.constantFrom('add', 'replace', 'remove', 'Add', 'Replace', 'Remove');

const withPath: fc.Arbitrary<JsonValue> = fc
  .tuple(op, fc.constantFrom(...targets), fc.boolean())
  .chain(([name, { path, value, multiValued }, withValue]): fc.Arbitrary<JsonValue> => {
    const isRemoval = name.toLowerCase() === 'remove';
    if (isRemoval && !(multiValued === true && withValue)) return fc.constant({ op: name, path });
    return value.map((given): JsonValue => ({ op: name, path, value: given }));
  });

const withoutPath: fc.Arbitrary<JsonValue> = fc
  .tuple(
    fc.constantFrom('add', 'replace', 'Replace'),
    fc.uniqueArray(fc.constantFrom(...targets), { minLength: 1, maxLength: 3, selector: ({ path }) => path }),
  )
  .chain(([name, keys]) =>
    fc.tuple(...keys.map(({ value }) => value)).map(
      (values): JsonValue => ({
        op: name,
        value: Object.fromEntries(keys.map(({ path }, at) => [path, values[at] as JsonValue])),
      }),
    ),
  );

const extension: fc.Arbitrary<JsonValue> = fc.constantFrom<JsonValue>(
  { op: 'replace', value: { [enterpriseUrn]: { department: 'x', manager: { value: '1' } } } },
  { op: 'add', path: acmeUrn, value: { badge: 'q', level: 3, nicknames: ['z'] } },
  { op: 'remove', path: enterpriseUrn },
);

const operation = fc.oneof(
  { weight: 8, arbitrary: withPath },
  { weight: 2, arbitrary: withoutPath },
  { weight: 1, arbitrary: extension },
);

/** PATCH operations in every form, those of the RFC and those of identity providers. Some cannot be carried out. */
export const anyOperations: fc.Arbitrary<readonly JsonValue[]> = fc.array(operation, { minLength: 1, maxLength: 4 });

/** Several operations on one attribute, which depend on each other. */
export const relatedOperations: fc.Arbitrary<readonly JsonValue[]> = fc
  .constantFrom('emails', 'addresses', 'name', `${acmeUrn}:nicknames`, 'manager')
  .chain((attribute) =>
    fc.array(
      withPath.filter((each) =>
        String((each as { readonly path?: string }).path)
          .toLowerCase()
          .startsWith(attribute.toLowerCase()),
      ),
      { minLength: 2, maxLength: 4 },
    ),
  );
