import fc from 'fast-check';
import { type ScimPatchOperation, scimPatch } from 'scim-patch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { unordered, userResource } from './user-resources.js';

type Attributes = Readonly<Record<string, unknown>>;
type Outcome = { readonly refused: true } | { readonly refused: false; readonly attributes: unknown };

const text = fc.constantFrom('a', 'Zoë', 'X y');
const kind = fc.constantFrom('work', 'home', 'none');
const list = fc.constantFrom('emails', 'phoneNumbers');
const element = fc.record({ value: fc.constantFrom('new@example.com', 'a@example.com'), type: kind });

/** Operations in the RFC's own grammar, which both understand. */
const operation: fc.Arbitrary<ScimPatchOperation> = fc.oneof(
  fc.record({
    op: fc.constantFrom('add', 'replace'),
    path: fc.constantFrom('title', 'nickName', 'name.givenName'),
    value: text,
  }),
  fc.record({
    op: fc.constantFrom('add', 'replace'),
    path: fc.constant('name'),
    value: fc.constantFrom({ givenName: 'G' }, { familyName: 'F' }),
  }),
  fc.record({
    op: fc.constantFrom('add', 'replace'),
    value: fc.constantFrom({ title: 'T' }, { title: 'T', nickName: 'N' }),
  }),
  fc.record({
    op: fc.constantFrom('add', 'replace'),
    path: list,
    value: fc.array(element, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    op: fc.constant('replace'),
    path: fc.tuple(list, kind).map(([name, type]) => `${name}[type eq "${type}"].value`),
    value: text,
  }),
  fc.record({
    op: fc.constant('add'),
    path: fc.tuple(list, kind).map(([name, type]) => `${name}[type eq "${type}"].display`),
    value: text,
  }),
  fc.record({
    op: fc.constant('remove'),
    path: fc.constantFrom('title', 'nickName', 'name.givenName', 'name', 'emails'),
  }),
  fc.record({
    op: fc.constant('remove'),
    path: fc.tuple(list, kind).map(([name, type]) => `${name}[type eq "${type}"]`),
  }),
  fc.record({
    op: fc.constant('remove'),
    path: fc.tuple(list, kind).map(([name, type]) => `${name}[type eq "${type}"].display`),
  }),
) as fc.Arbitrary<ScimPatchOperation>;

/** Where we answer otherwise on purpose, and the row that decides it. */
interface Difference {
  readonly row: string;
  readonly why: string;
  readonly applies: (operation: ScimPatchOperation, before: Attributes) => boolean;
  /** A case that shows it. */
  readonly witness: readonly [resource: Attributes, operation: ScimPatchOperation];
}

const selectedBy = (operation: ScimPatchOperation): RegExpExecArray | null =>
  /^(\w+)\[type eq "(\w+)"\](?:\.(\w+))?$/.exec(operation.path ?? '');
const elementsOf = (
  before: Attributes,
  name: string,
): readonly { readonly value: string; readonly type: string; readonly primary?: boolean }[] =>
  (before[name] ?? []) as never;
const matches = (operation: ScimPatchOperation, before: Attributes): boolean => {
  const [, name = '', type] = selectedBy(operation) ?? [];
  return elementsOf(before, name).some((candidate) => candidate.type === type);
};
const differences: Readonly<Record<string, Difference>> = {
  'removing elements that do not match is a success': {
    row: '7644-3.5.2.2-07',
    why: 'scim-patch refuses it with noTarget',
    applies: (op, before) => op.op === 'remove' && selectedBy(op) !== null && !matches(op, before),
    witness: [{}, { op: 'remove', path: 'emails[type eq "work"]' }],
  },
  'an element that is there already is not added a second time': {
    row: '7644-3.5.2.1-08',
    why: 'scim-patch compares whole elements, so it doubles one that has a display or is primary',
    applies: ({ op, path = '', ...rest }, before) =>
      op === 'add' &&
      /^\w+$/.test(path) &&
      Array.isArray(rest.value) &&
      (rest.value as readonly { value: string; type: string }[]).some((added) =>
        elementsOf(before, path).some(({ value, type }) => value === added.value && type === added.type),
      ),
    witness: [
      { emails: [{ value: 'a@example.com', type: 'work', display: 'A' }] },
      { op: 'add', path: 'emails', value: [{ value: 'a@example.com', type: 'work' }] },
    ],
  },
  'a repeated (type, value) pair is stored once': {
    row: '7643-2.4-10',
    why: 'scim-patch keeps what the value holds',
    applies: ({ path = '', ...rest }) =>
      /^\w+$/.test(path) &&
      Array.isArray(rest.value) &&
      new Set(rest.value.map((item) => JSON.stringify(item))).size < rest.value.length,
    witness: [
      {},
      {
        op: 'replace',
        path: 'emails',
        value: [
          { value: 'a@example.com', type: 'work' },
          { value: 'a@example.com', type: 'work' },
        ],
      },
    ],
  },
  'a value path of eq that matches nothing creates the element': {
    row: '7644-3.5.2.1-10',
    why: 'scim-patch refuses it, or creates it where the list is missing as well',
    applies: (op, before) => op.op !== 'remove' && selectedBy(op) !== null && !matches(op, before),
    witness: [
      { emails: [{ value: 'a@example.com', type: 'work' }] },
      { op: 'replace', path: 'emails[type eq "home"].value', value: 'b' },
    ],
  },
};

describe('PATCH beside scim-patch', () => {
  let server: TestServer;
  let gateway: TestGateway;
  let run = 0;

  beforeAll(async () => {
    server = await startServer();
    gateway = await server.gateway();
  });
  afterAll(() => server.close());

  /** Attributes without what the server makes; elements have no order, and a missing primary is false. */
  const comparable = ({ id, meta, schemas, userName, ...attributes }: Attributes): unknown => {
    const text = JSON.stringify(attributes, (_, value: unknown) => {
      if (Array.isArray(value)) return value.length === 0 ? undefined : value;
      if (typeof value !== 'object' || value === null) return value === false ? undefined : value;
      return Object.keys(value).length === 0 ? undefined : value;
    }) as string | undefined;
    const plain: unknown = text === undefined ? {} : JSON.parse(text);
    return unordered(plain);
  };
  const ours = async (
    resource: Attributes,
    op: ScimPatchOperation,
  ): Promise<{ before: Attributes; outcome: Outcome }> => {
    const created = await gateway.request('POST', '/Users', {
      body: { ...resource, userName: `differential-${run++}` },
    });
    expect(created.status, created.text).toBe(201);
    const answer = await gateway.request('PATCH', `/Users/${created.body.id}`, {
      body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [op] },
    });
    expect([200, 400], answer.text).toContain(answer.status);
    const outcome: Outcome =
      answer.status === 400 ? { refused: true } : { refused: false, attributes: comparable(answer.body) };
    return { before: created.body, outcome };
  };
  const theirs = (before: Attributes, op: ScimPatchOperation): Outcome => {
    try {
      const copy = structuredClone(before) as never;
      return {
        refused: false,
        attributes: comparable(scimPatch(copy, [structuredClone(op)], { mutateDocument: true })),
      };
    } catch {
      return { refused: true };
    }
  };

  it("agrees with it in the RFC's own grammar, but for the differences in the table [7644-3.5.2-06 7644-3.5.2.1-04 7644-3.5.2.3-05]", async () => {
    await fc.assert(
      fc.asyncProperty(userResource, operation, async (resource, op) => {
        const { before, outcome } = await ours(resource, op);
        const other = theirs(before, op);
        if (JSON.stringify(outcome) === JSON.stringify(other)) return;
        const named = Object.entries(differences).filter(([, { applies }]) => applies(op, before));
        expect(
          named,
          `${JSON.stringify(op)} on ${JSON.stringify(before)}: ${JSON.stringify(outcome)} beside ${JSON.stringify(other)}`,
        ).not.toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it.each(Object.entries(differences).map(([name, difference]) => ({ name, ...difference })))(
    'differs on purpose: $name [$row]',
    async ({ witness: [resource, op], applies }) => {
      const { before, outcome } = await ours(resource, op);
      expect(applies(op, before)).toBe(true);
      expect(outcome).not.toEqual(theirs(before, op));
    },
  );
});
