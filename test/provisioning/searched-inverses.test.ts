import { describe, expect, it } from 'vitest';
import type { Adapter, BackendRecord, Capabilities, OperationContext } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { type OnSilence, withSearchedInverses } from '../../src/provisioning/searched-inverses.js';

const context: OperationContext = { signal: new AbortController().signal, requestId: 'r1' };

const people: Capabilities = {
  version: 3,
  entities: {
    people: {
      fields: { $id: { comparison: 'exact', operators: { eq: 'exact' }, sortable: false } },
      combine: { and: true, or: true, not: true },
      offset: true,
      total: true,
      revision: false,
      write: true,
      atomicUpdate: true,
      enforcesUnique: true,
      referentialIntegrity: true,
    },
  },
};

/** Backends that answer with what is written here, and note what they are asked. */
function backends(onSilence: OnSilence, holders: () => Promise<readonly BackendRecord[]>) {
  const asked: unknown[] = [];
  const one = {
    capabilities: people,
    get: async (_: string, id: string, { fields }: { fields: readonly string[] }) => {
      asked.push(['get', fields]);
      return { $id: id, login: 'jane' };
    },
    describe: (operation: { query?: { filter?: unknown; fields: readonly string[] } }) =>
      `people ${JSON.stringify(operation.query?.filter)} ${operation.query?.fields.join()}`,
  } as unknown as Adapter;
  const other = {
    capabilities: { version: 1, entities: {} },
    lookup: async (entity: string, query: object) => {
      asked.push(['lookup', entity, query]);
      return holders();
    },
    describe: (operation: { query?: { filter?: unknown } }) => `groups ${JSON.stringify(operation.query?.filter)}`,
  } as unknown as Adapter;
  const inverse = {
    field: 'groups',
    child: undefined,
    holder: 'Group',
    holderField: 'member',
    holderChild: undefined,
    ownKey: 'login',
    gives: '$id',
  };
  const adapter = withSearchedInverses(one, 'people', [{ inverse, adapter: other, entity: 'groups' }], onSilence);
  return { adapter, asked };
}

describe('the other end of a reference that another backend keeps', () => {
  it('is searched by what the reference holds, which is read with the record', async () => {
    const { adapter, asked } = backends('fail', async () => [{ $id: 'g1' }, { $id: 'g2' }]);
    expect(await adapter.get('people', '1', { fields: ['mail', 'groups'] }, context)).toEqual({
      $id: '1',
      login: 'jane',
      groups: ['g1', 'g2'],
    });
    expect(asked).toEqual([
      ['get', ['mail', 'login']],
      ['lookup', 'groups', { by: 'member', values: ['jane'], fields: [] }],
    ]);
  });

  it('is not searched when nobody asks for it', async () => {
    const { adapter, asked } = backends('fail', async () => []);
    await adapter.get('people', '1', { fields: ['mail'] }, context);
    expect(asked).toEqual([['get', ['mail']]]);
  });

  it('fails the reading, or is left out of the answer to a change, when its backend is silent', async () => {
    const away = (): Promise<never> => Promise.reject(new AdapterError('unavailable', 'away'));
    const read = (onSilence: OnSilence) =>
      backends(onSilence, away).adapter.get('people', '1', { fields: ['groups'] }, context);
    await expect(read('fail')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await read('leaveOut')).toEqual({ $id: '1', login: 'jane' });
  });

  it('fails also the answer to a change when its backend answers nonsense: that is nothing to be silent about', async () => {
    const faulty = (): Promise<never> => Promise.reject(new AdapterError('unsupported', 'fault'));
    const reading = backends('leaveOut', faulty).adapter.get('people', '1', { fields: ['groups'] }, context);
    await expect(reading).rejects.toMatchObject({ kind: 'unsupported' });
  });

  it('is described as the two searches that it takes', () => {
    const { adapter } = backends('fail', async () => []);
    const filter = { kind: 'compare', path: 'groups', op: 'eq', value: 'g1' } as const;
    const query = { entity: 'people', fields: ['groups'], filter, limit: 10, wantTotal: true };
    expect(adapter.describe({ kind: 'search', query }).split('\n')).toEqual([
      'groups {"kind":"compare","path":"$id","op":"eq","value":"g1"}',
      'and for those that it refers to:',
      'people {"kind":"compare","path":"login","op":"eq","value":"g1"} login',
    ]);
  });
});
