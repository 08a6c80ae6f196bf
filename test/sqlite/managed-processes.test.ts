import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import type { EntityUse, FieldUse } from '../../src/backend/adapter.js';
import { idOf, scalarsOf } from '../../src/backend/record.js';
import { environmentIn } from '../contract/contract-entities.js';

const script = fileURLToPath(new URL('./adapter-child.mjs', import.meta.url));
const text: Omit<FieldUse, 'name'> = {
  type: 'string',
  multiple: false,
  comparison: 'fold',
  unique: false,
  read: true,
  written: true,
};
const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      { ...text, name: 'login', unique: true },
      { ...text, name: 'first' },
      { ...text, name: 'second' },
      {
        ...text,
        name: 'friends',
        multiple: true,
        comparison: 'exact',
        reference: { targets: ['people'], by: '$id' },
      },
    ],
  },
];

it('lets two processes change one record at the same time and loses nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'managed-processes-'));
  const environment = { ...environmentIn(folder, entities), gateway: 'child' };
  const adapter = await sqliteModule.open({ type: 'sqlite' }, environment);
  try {
    const context = { signal: AbortSignal.timeout(20_000), requestId: 'test' };
    const names = ['a', 'b'];
    const every = (what: string) =>
      names.flatMap((name) => Array.from({ length: 100 }, (_, n) => `${name}-${what}-${n}`));
    const record = await adapter.create(
      'people',
      { login: 'one', friends: ['stays', ...every('old')] },
      { fields: [] },
      context,
    );
    const id = idOf(record);
    const outputs = await Promise.all(
      names.map(async (name) => {
        const child = spawn(process.execPath, [script, folder, id, name], { stdio: ['ignore', 'pipe', 'inherit'] });
        let output = '';
        child.stdout.on('data', (chunk) => {
          output += chunk;
        });
        await once(child, 'close');
        return output;
      }),
    );
    expect(outputs).toEqual(['ready\nchanged 200\n', 'ready\nchanged 200\n']);
    const after = await adapter.get('people', id, { fields: ['friends', '$revision'] }, context);
    expect(new Set(scalarsOf(after ?? {}, 'friends'))).toEqual(new Set(['stays', ...every('new')]));
    expect(after?.$revision).toBe('401');
  } finally {
    await adapter.close();
    await rm(folder, { recursive: true });
  }
});
