import { describe, expect, it } from 'vitest';
import type { RequestContext, ScimService } from '../../src/provisioning/service.js';
import { createTestService, groupType, userType } from '../support/test-service.js';

const enterpriseUri = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const patchOf = (...operations: readonly object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: operations,
});

/** What the transaction of a request is told that it meant. */
async function meaningOf(
  send: (service: ScimService, id: string, context: RequestContext) => Promise<unknown>,
): Promise<readonly string[]> {
  const { service, context } = await createTestService({
    types: [
      { type: userType, rules: 'scim' },
      { type: groupType, rules: 'scim' },
    ],
  });
  const { resource } = await service.create('User', { userName: 'before' }, {}, context());
  const said: string[] = [];
  await send(service, String(resource?.id), { ...context(), meant: (what) => said.push(what) });
  return said;
}

describe('what a request meant', () => {
  it('is told of a PATCH as normalised operations, whatever the dialect, and without values', async () => {
    const said = await meaningOf((service, id, context) =>
      service.patch(
        'User',
        id,
        patchOf(
          { op: 'Replace', value: { active: 'False', 'name.givenName': 'Barbara' } },
          { op: 'Add', path: 'emails[type eq "work" and display eq "bjensen"].value', value: 'bjensen@example.com' },
          { op: 'Remove', path: 'title' },
          { op: 'replace', path: `${enterpriseUri}:department`, value: 'Engineering' },
          { op: 'replace', path: 'nickName', value: '' },
        ),
        {},
        {},
        context,
      ),
    );
    expect(said).toEqual([
      'replace active',
      'replace name.givenName',
      'add emails[type eq "work" and display eq "…"].value',
      'remove title',
      `replace ${enterpriseUri}:department`,
      'replace nickName with nothing',
    ]);
  });

  it('counts members', async () => {
    const said = await meaningOf(async (service, id, context) => {
      const { resource } = await service.create(
        'Group',
        { displayName: 'g' },
        {},
        { ...context, meant: () => undefined },
      );
      const value = [{ value: id }];
      const group = String(resource?.id);
      await service.patch('Group', group, patchOf({ op: 'add', path: 'members', value }), {}, {}, context);
      await service.patch('Group', group, patchOf({ op: 'remove', path: 'members', value }), {}, {}, context);
    });
    expect(said).toEqual(['add members (1)', 'remove members (1)']);
  });

  it('names the attributes that a create or a replace sets', async () => {
    const body = {
      userName: 'bjensen',
      emails: [{ value: 'a@example.com' }, { value: 'b@example.com' }],
      [enterpriseUri]: { department: 'Engineering' },
      undeclared: 'x',
    };
    const said = await meaningOf(async (service, id, context) => {
      await service.create('User', body, {}, context);
      await service.replace('User', id, { ...body, userName: 'other' }, {}, {}, context);
    });
    expect(said).toEqual(Array(2).fill(`set userName, emails (2), ${enterpriseUri}:department`));
  });

  it('is told of each operation of a bulk job', async () => {
    const said = await meaningOf((service, id, context) =>
      service.bulk(
        {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
          Operations: [
            { method: 'POST', path: '/Users', bulkId: 'a', data: { userName: 'a' } },
            { method: 'DELETE', path: `/Users/${id}` },
            { method: 'bjensen', path: '/Users' },
          ],
        },
        context,
      ),
    );
    expect(said).toEqual(['operation 1: POST', 'set userName', 'operation 2: DELETE', 'operation 3: faulty']);
  });
});
