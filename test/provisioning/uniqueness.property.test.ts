import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

/** Texts that people would call the same name, and near misses. */
const variants: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.toLowerCase(),
  (name) => name.normalize('NFD'),
  (name) => name.normalize('NFC'),
  (name) => name.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0)),
  (name) => `${name} `,
  (name) => `${name}x`,
  (name) => name.replace('e', 'é'),
];

const names = fc.tuple(
  fc.stringMatching(/^[a-zA-Z.]{1,8}$/),
  fc.constantFrom('', 'é', 'Ж', 'straße', 'Σίσυφος', 'İ', '李', '😀', "o'neil", 'a%b_c\\d"e', '*)(uid=*'),
);
const kinds = [
  { type: '/Users', attribute: 'userName' },
  { type: '/Groups', attribute: 'displayName' },
] as const;

describe('a value that must be unique', () => {
  let server: TestServer;
  let gateway: TestGateway;

  beforeAll(async () => {
    server = await startServer();
    gateway = await server.gateway();
  });
  afterAll(() => server.close());

  const find = async (type: string, attribute: string, value: string): Promise<readonly string[]> => {
    const { status, body, text } = await gateway.request('GET', type, {
      query: { filter: `${attribute} eq ${JSON.stringify(value)}`, attributes: 'id' },
    });
    expect(status, text).toBe(200);
    return (body.Resources ?? []).map(({ id }) => id);
  };

  it.each(kinds)(
    '$type: a create is 409 exactly when the look-up that an identity provider makes first finds the holder [7644-3.3-07 7643-7-uniq-04 7644-5-01]',
    async ({ type, attribute }) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          names,
          fc.constantFrom(...variants),
          fc.constantFrom(...variants),
          async ([stem, tail], first, second) => {
            const base = `${stem}${tail}-${run++}`;
            const [taken, wanted] = [first(base), second(base)];
            const holder = await gateway.request('POST', type, { body: { [attribute]: taken } });
            expect(holder.status, holder.text).toBe(201);
            const found = await find(type, attribute, wanted);
            const answer = await gateway.request('POST', type, { body: { [attribute]: wanted } });
            if (found.length > 0) {
              expect(answer.status, `${JSON.stringify(wanted)} finds the holder of ${JSON.stringify(taken)}`).toBe(409);
              expect(answer.body.scimType).toBe('uniqueness');
              expect(found).toEqual([holder.body.id]);
              expect(answer.body.detail).toContain(holder.body.id);
            } else {
              expect(
                answer.status,
                `${JSON.stringify(wanted)} does not find ${JSON.stringify(taken)}: ${answer.text}`,
              ).toBe(201);
            }
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  it('the same holds for a rename by PATCH and by PUT [7644-3.5.2-25 7644-3.5.1-10]', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(names, fc.constantFrom(...variants), fc.boolean(), async ([stem, tail], change, byPatch) => {
        const base = `${stem}${tail}-rename-${run++}`;
        const holder = await gateway.request('POST', '/Users', { body: { userName: base } });
        const other = await gateway.request('POST', '/Users', { body: { userName: `${base}-other` } });
        expect([holder.status, other.status]).toEqual([201, 201]);
        const wanted = change(base);
        const found = await find('/Users', 'userName', wanted);
        const path = `/Users/${other.body.id}`;
        const answer = byPatch
          ? await gateway.request('PATCH', path, {
              body: {
                schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
                Operations: [{ op: 'replace', path: 'userName', value: wanted }],
              },
            })
          : await gateway.request('PUT', path, { body: { userName: wanted } });
        expect(answer.status, answer.text).toBe(found.includes(holder.body.id) ? 409 : 200);
      }),
      { numRuns: 100 },
    );
  });
});
