import { describe, expect, it } from 'vitest';
import { createTestService, groupType, userType } from '../support/test-service.js';

const members = (count: number) => Array.from({ length: count }, (_, n) => ({ value: `m${n}` }));

/** A gateway whose answers hold ten members. */
async function smallGateway() {
  const made = await createTestService({
    types: [
      { type: userType, rules: 'scim' },
      { type: groupType, rules: 'scim' },
    ],
    limits: { maxMembers: 10 },
  });
  const count = async (): Promise<unknown> =>
    (await made.service.search('Group', { count: 0 }, made.context())).totalResults;
  return { ...made, count };
}

describe('a group that is larger than an answer may be', () => {
  it('is not created when its answer would be refused, so that nobody creates it twice', async () => {
    const { service, context, count } = await smallGateway();
    const body = { displayName: 'large', members: members(11) };
    await expect(service.create('Group', body, {}, context())).rejects.toMatchObject({
      status: 400,
      scimType: 'tooMany',
      message: expect.stringContaining('Nothing was written'),
    });
    expect(await count()).toBe(0);
  });

  it('is created when the answer leaves the members out', async () => {
    const { service, context, count } = await smallGateway();
    const body = { displayName: 'large', members: members(11) };
    const { resource } = await service.create('Group', body, { excludedAttributes: ['members'] }, context());
    expect(await count()).toBe(1);
    await expect(service.read('Group', String(resource?.id), {}, {}, context())).rejects.toMatchObject({
      scimType: 'tooMany',
    });
  });

  it('is not replaced when its answer would be refused', async () => {
    const { service, context } = await smallGateway();
    const { resource } = await service.create('Group', { displayName: 'g', members: members(3) }, {}, context());
    const id = String(resource?.id);
    const body = { displayName: 'renamed', members: members(11) };
    await expect(service.replace('Group', id, body, {}, {}, context())).rejects.toMatchObject({ scimType: 'tooMany' });
    const read = await service.read('Group', id, {}, {}, context());
    expect(read.resource).toMatchObject({ displayName: 'g' });
    expect(read.resource?.members).toHaveLength(3);
  });
});
