// A process of its own that writes to a managed store, for tests that kill it, trace it or run two of them at once.
// Every write that was acknowledged becomes one line on its standard output, written at once.
import { writeSync } from 'node:fs';
import { sqliteModule } from '../../dist/adapters/sqlite/adapter.js';

const [folder, mode, name] = process.argv.slice(2);
const silent = () => undefined;
const text = { type: 'string', multiple: false, comparison: 'fold', unique: false, read: true, written: true };
const entities = [
  {
    entity: 'people',
    fields: [
      { ...text, name: 'login', unique: true },
      { ...text, name: 'first' },
      { ...text, name: 'second' },
      { ...text, name: 'friends', multiple: true, comparison: 'exact', reference: { targets: ['people'], by: '$id' } },
    ],
  },
];
const adapter = await sqliteModule.open(
  { type: 'sqlite' },
  {
    gateway: 'child',
    entities,
    baseDir: folder,
    dataDir: folder,
    log: { debug: silent, info: silent, warn: silent, error: silent },
  },
);
const context = { signal: new AbortController().signal, requestId: 'child' };
const say = (...words) => writeSync(1, `${words.join(' ')}\n`);
const create = (record) => adapter.create('people', record, { fields: [] }, context);
const update = (id, changes) => adapter.update('people', id, changes, { fields: [] }, context);

/** Creates records and updates them, many at a time, until the process is killed. */
async function load() {
  await Promise.all(
    Array.from({ length: 24 }, async (_, lane) => {
      for (let n = 0; ; n++) {
        const { $id: id } = await create({ login: `${name}-${lane}-${n}`, first: '0', second: '0' });
        say('created', id, `${name}-${lane}-${n}`);
        for (let count = 1; count <= 3; count++) {
          await update(id, [
            { op: 'set', field: 'first', values: [String(count)] },
            { op: 'add', field: 'friends', values: [`friend-${count}`] },
            { op: 'set', field: 'second', values: [String(count)] },
          ]);
          say('updated', id, count);
        }
      }
    }),
  );
}

/** Writes one after the other. */
async function sequence() {
  for (let n = 0; n < 20; n++) {
    const { $id } = await create({ login: `${name}-${n}` });
    say('created', $id);
    await update($id, [{ op: 'add', field: 'friends', values: ['somebody'] }]);
    say('updated', $id);
  }
}

/** 100 additions and 100 removals of friends of one person, all at the same time. */
async function friends(id) {
  const ops = Array.from({ length: 100 }, (_, n) => [
    update(id, [{ op: 'add', field: 'friends', values: [`${name}-new-${n}`] }]),
    update(id, [{ op: 'remove', field: 'friends', values: [`${name}-old-${n}`] }]),
  ]);
  const results = await Promise.all(ops.flat());
  say('changed', results.filter(({ changed }) => changed).length);
}

say('ready');
if (mode === 'load') await load();
else if (mode === 'sequence') await sequence();
else await friends(mode);
await adapter.close();
