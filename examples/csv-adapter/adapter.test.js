// @ts-check
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contractEntities, describeAdapterContract, environmentIn } from 'scimbridge/testing';
import adapter from './adapter.js';

const folder = await mkdtemp(join(tmpdir(), 'csv-'));
const config = {
  folder: '.',
  delimiter: /** @type {const} */ (','),
  entities: { people: { file: 'people.csv', id: 'id' }, groups: { file: 'groups.csv', id: 'id' } },
};

/** Files with nothing but a header, of all the fields that the suite has. */
async function emptyFiles() {
  for (const { entity, fields } of contractEntities) {
    const stored = fields.filter(({ inverseOf }) => inverseOf === undefined);
    await writeFile(join(folder, `${entity}.csv`), `${['id', ...stored.map(({ name }) => name)].join(',')}\n`);
  }
}

describeAdapterContract('csv', {
  entities: contractEntities,
  open: async () => {
    await emptyFiles();
    return adapter.open(config, environmentIn(folder, contractEntities));
  },
  close: () => rm(folder, { recursive: true }),
});
