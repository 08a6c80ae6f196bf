/** The code of an adapter, in plain JavaScript, that does what the name of the user asks for. */
export const nastyAdapter = `
const text = { comparison: 'exact', operators: { eq: 'exact' }, sortable: false };
const never = () => new Promise(() => undefined);
const alice = { $id: '1', login: 'alice' };
class Weird { get name() { throw new Error('no name'); } get kind() { throw new Error('no kind'); } }

const searches = {
  alice: async () => ({ records: [alice], total: 1 }),
  'throws': () => { throw new TypeError('thrown at once'); },
  'rejects': async () => { throw new RangeError('rejected'); },
  'rejects-text': () => Promise.reject('oops'),
  'rejects-nothing': () => Promise.reject(),
  'rejects-weird': () => Promise.reject(new Weird()),
  'odd-kind': () => Promise.reject(Object.assign(new Error('x'), { name: 'AdapterError', kind: 'gone' })),
  'hangs': never,
  'no-promise': () => 42,
  'nothing': async () => undefined,
  'no-list': async () => ({ records: 'alice' }),
  'no-id': async () => ({ records: [{ login: 'alice' }] }),
  'odd-value': async () => ({ records: [{ $id: '1', login: new Date() }] }),
  'odd-child': async () => ({ records: [{ $id: '1', login: [{ value: { deep: true } }] }] }),
  'odd-total': async () => ({ records: [], total: Number.NaN }),
  'long-next': async () => ({ records: [alice], next: 'x'.repeat(2_000) }),
  'getter': async () => ({ records: [{ $id: '1', get login() { throw new Error('a getter'); } }] }),
  'result-getter': async () => ({ get records() { throw new Error('a getter'); } }),
  'proxy': async () => new Proxy({}, { get: () => { throw new Error('a trap'); } }),
  'thenable': () => ({ then() { throw new Error('a then'); } }),
  'trace': async (query, context) => { context.trace(null); return { records: [alice], total: 1 }; },
  'mutates': async (query) => { query.fields.push('nosuch'); query.filter.path = 'nosuch'; return { records: [alice], total: 1 }; },
  'later': async () => { setTimeout(() => Promise.reject(new Error('later, to nobody')), 1); return { records: [alice], total: 1 }; },
  'timer': async () => { setTimeout(() => { throw new Error('in a timer'); }, 1); return { records: [alice], total: 1 }; },
  'down': () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
};

let reads = 0;
export default {
  contractVersion: 1,
  configSchema: {
    $id: 'config',
    type: 'object',
    additionalProperties: false,
    properties: { mode: { type: 'string', default: 'serves' } },
  },
  async open({ mode }, environment) {
    setInterval(() => undefined, 1_000);
    if (mode === 'open throws') throw 'not today';
    if (mode === 'open gives nothing') return undefined;
    if (mode === 'half an adapter') return { get() {} };
    return {
      get capabilities() {
        if (mode === 'no capabilities' || (mode === 'capabilities go' && ++reads > 3)) throw new Error('no capabilities');
        return {
          version: mode === 'capabilities go' ? reads : 1,
          entities: { people: {
            fields: { login: text, $id: text },
            combine: { and: mode === 'odd capabilities' ? 'yes' : false, or: false, not: false },
            offset: true, total: true, revision: false, write: true, atomicUpdate: false,
            enforcesUnique: true, referentialIntegrity: true,
          } },
        };
      },
      search(query, context) {
        return searches[query.filter?.value ?? 'alice'](query, context);
      },
      async get() { throw new SyntaxError('of get'); },
      async *scan() { yield alice; throw new EvalError('in the middle'); },
      create: async (entity, record) => (record.login === 'lost' ? null : Promise.reject(new TypeError('of create'))),
      update: never,
      delete: () => { throw null; },
      lookup: async () => [null],
      inspect: async () => ({ entities: 'all' }),
      describe: () => Symbol('odd'),
      async check() { throw new Error('of check'); },
      close: () => (mode === 'close throws' ? Promise.reject(new Error('of close')) : never()),
    };
  },
};
`;
