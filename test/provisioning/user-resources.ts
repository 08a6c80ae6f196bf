import fc from 'fast-check';

/** Values that have to come back as they were sent. */
const text = fc.constantFrom(
  'a',
  'Zoë',
  '你好',
  '😀',
  ' x y ',
  'b"\\\\/',
  "O'Malley",
  '%_',
  '<x&y>',
  'line\nbreak',
  'İ',
  '٣',
);

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

/** Elements with different types, at most one of them primary. */
function elements(value: fc.Arbitrary<string>) {
  return fc
    .uniqueArray(
      fc.record(
        { value, type: fc.constantFrom('work', 'home', 'other', 'x'), display: text },
        { requiredKeys: ['value', 'type'] },
      ),
      { minLength: 1, maxLength: 4, selector: ({ type }) => type },
    )
    .chain((list) =>
      fc
        .integer({ min: -1, max: list.length - 1 })
        .map((primary) => list.map((element, index) => (index === primary ? { ...element, primary: true } : element))),
    );
}

const enterprise = fc
  .record({ department: optional(text), employeeNumber: optional(text), costCenter: optional(text) })
  .map(withoutUndefined);
const name = fc
  .record({ givenName: optional(text), familyName: optional(text), formatted: optional(text) })
  .map(withoutUndefined);

/** A User without its userName: only attributes that have a value, as a client would send them. */
export const userResource: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .record({
    displayName: optional(text),
    title: optional(text),
    externalId: optional(text),
    active: optional(fc.boolean()),
    nickName: optional(text),
    profileUrl: optional(fc.constantFrom('https://example.com/a', '/relative')),
    name: optional(name),
    emails: optional(elements(fc.constantFrom('a@example.com', 'B@example.com', 'é@example.com'))),
    phoneNumbers: optional(elements(fc.constantFrom('+1 555 0100', 'tel:+49-30-1', '007'))),
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': optional(enterprise),
  })
  .map(withoutUndefined);

function withoutUndefined(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) =>
        value !== undefined && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0),
    ),
  );
}

/** The elements of a multi-valued attribute have no order (RFC 7643 §2.4). */
export function unordered(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(unordered).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, unordered(item)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
