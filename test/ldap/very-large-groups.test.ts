import { afterAll, expect, it } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import type { EntityUse, OperationContext, SearchResult, TraceEntry } from '../../src/backend/adapter.js';
import { idOf, scalarsOf } from '../../src/backend/record.js';
import { contractEntities, environmentIn } from '../contract/contract-entities.js';
import { adapterConfig, entityDefaults, standardGroups } from '../support/ldap/adapter-config.js';
import { describeOnLdap } from '../support/ldap/available.js';
import { startOpenLdap } from '../support/ldap/openldap.js';

const sizes = { few: 1_000, all: 99_999 } as const;
type Name = keyof typeof sizes;

function only(entity: string, ...names: readonly string[]): EntityUse {
  const use = contractEntities.find((candidate) => candidate.entity === entity);
  return { entity, fields: use?.fields.filter(({ name }) => names.includes(name)) ?? [] };
}
const entities = [only('people', 'login', 'memberOf'), only('groups', 'title', 'members')];

/** 100,000 people: the first is in no group, the others in "all", and the first thousand of these in "few" too. */
function ldif(): string {
  const base = 'dc=example,dc=org';
  const numbers = Array.from({ length: sizes.all + 1 }, (_, n) => n);
  const inGroup = (n: number, name: Name): boolean => n > 0 && n <= sizes[name];
  const memberOf = (n: number): string =>
    (['few', 'all'] as const)
      .flatMap((name) => (inGroup(n, name) ? [`memberOf: cn=${name},ou=groups,${base}\n`] : []))
      .join('');
  const people = numbers.map(
    (n) =>
      `dn: uid=u${n},ou=people,${base}\nobjectClass: inetOrgPerson\nuid: u${n}\ncn: u${n}\nsn: u${n}\n${memberOf(n)}`,
  );
  const groups = (['few', 'all'] as const).map((name) => {
    const members = numbers.filter((n) => inGroup(n, name)).map((n) => `member: uid=u${n},ou=people,${base}\n`);
    return `dn: cn=${name},ou=groups,${base}\nobjectClass: groupOfNames\ncn: ${name}\n${members.join('')}`;
  });
  return [...people, ...groups, ''].join('\n');
}

const medianOf = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;

await describeOnLdap('openldap', 'a group of 100,000', async () => {
  const server = await startOpenLdap({ ldif: ldif() });
  const config = adapterConfig(server, 60_000, {
    people: {
      ...entityDefaults,
      base: 'ou=people',
      fields: { login: 'uid' },
      create: { dn: 'uid={login},ou=people', objectClasses: ['inetOrgPerson'] },
    },
    groups: standardGroups,
  });
  const adapter = await ldapModule.open(config, environmentIn('/', entities));
  afterAll(async () => {
    await adapter.close();
    await server.close();
  });
  const context = (trace: TraceEntry[] = []): OperationContext => ({
    signal: AbortSignal.timeout(60_000),
    requestId: 'large',
    trace: (entry) => trace.push(entry),
  });
  const idBy = async (entity: string, by: string, value: string): Promise<string> => {
    const [record] = await adapter.lookup(entity, { by, values: [value], fields: [] }, context());
    return idOf(record ?? { $id: '' });
  };
  const timed = async <T>(work: () => Promise<T>): Promise<{ readonly tookMs: number; readonly result: T }> => {
    const startedAt = performance.now();
    const result = await work();
    return { tookMs: performance.now() - startedAt, result };
  };

  const groupIds = { few: await idBy('groups', 'title', 'few'), all: await idBy('groups', 'title', 'all') };
  const outsider = await idBy('people', 'login', 'u0');

  /** One member in and out again, and each once more in vain: what was asked of the server, and the gateway's own part. */
  async function changes(name: Name) {
    const operations: string[] = [];
    const ownMs: number[] = [];
    for (const op of ['add', 'add', 'remove', 'remove'] as const) {
      const trace: TraceEntry[] = [];
      const change = { op, field: 'members', values: [outsider] } as const;
      const { tookMs, result } = await timed(() =>
        adapter.update('groups', groupIds[name], [change], { fields: [] }, context(trace)),
      );
      // Those that go out side by side end in any order.
      const asked = trace.map(({ operation }) => operation).sort();
      operations.push(`${op} ${result.changed}: ${asked.join(', ')}`);
      ownMs.push(tookMs - trace.reduce((sum, { durationMs }) => sum + durationMs, 0));
    }
    return { operations, ownMs };
  }

  it('is changed by one member with the same requests as a small one, and as little work here', {
    timeout: 60_000,
  }, async () => {
    await changes('few');
    const own: Record<Name, number[]> = { few: [], all: [] };
    for (let round = 0; round < 5; round++) {
      const [few, all] = [await changes('few'), await changes('all')];
      expect(all.operations).toEqual(few.operations);
      expect(all.operations.map((operation) => operation.split(':')[0])).toEqual([
        'add true',
        'add false',
        'remove true',
        'remove false',
      ]);
      own.few.push(...few.ownMs);
      own.all.push(...all.ownMs);
    }
    // Beside the server's own time, which grows with its entry, nothing does.
    expect(medianOf(own.all)).toBeLessThan(10 * medianOf(own.few) + 5);
  });

  async function walk(name: Name) {
    const seen: string[] = [];
    const pageMs: number[] = [];
    let after: string | undefined;
    do {
      const { tookMs, result } = await timed(() =>
        adapter.search(
          {
            entity: 'people',
            filter: { kind: 'compare', path: 'memberOf', op: 'eq', value: groupIds[name] },
            fields: ['login'],
            limit: 250,
            wantTotal: true,
            ...(after === undefined ? {} : { after }),
          },
          context(),
        ),
      );
      const page: SearchResult = result;
      expect(page.total).toBe(sizes[name]);
      seen.push(...page.records.map(idOf));
      pageMs.push(tookMs);
      after = page.next;
    } while (after !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    return { seen, pageMs: medianOf(pageMs) };
  }

  it('is walked through in pages, as quick as those of a small one, and is read as a whole', {
    timeout: 120_000,
  }, async () => {
    const [few, all] = [await walk('few'), await walk('all')];
    expect([few.seen.length, all.seen.length]).toEqual([sizes.few, sizes.all]);
    expect(all.pageMs).toBeLessThan(10 * few.pageMs + 5);
    const trace: TraceEntry[] = [];
    const whole = await adapter.get('groups', groupIds.all, { fields: ['members'] }, context(trace));
    expect(new Set(scalarsOf(whole ?? {}, 'members'))).toEqual(new Set(all.seen));
    expect(trace.length).toBeLessThanOrEqual(4);
  });
});
