// @ts-check
import { resolve } from 'node:path';
import { AdapterError, defineAdapter, RecordStore } from 'scimbridge/adapter';
import { CsvFile } from './csv-file.js';
import { CsvFolder } from './csv-folder.js';

/** @typedef {import('scimbridge/adapter').BackendRecord} BackendRecord */
/** @typedef {import('scimbridge/adapter').Capabilities} Capabilities */
/** @typedef {import('scimbridge/adapter').Change} Change */
/** @typedef {import('scimbridge/adapter').EntityUse} EntityUse */
/** @typedef {import('scimbridge/adapter').FieldValue} FieldValue */
/** @typedef {import('scimbridge/adapter').InspectionProblem} InspectionProblem */

/** Users and groups in CSV files: one file for each entity, a row for each record, a column for each field. */
export default defineAdapter({
  configSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['entities'],
    properties: {
      folder: { type: 'string', default: '.', description: 'Where the files are, relative to gateway.yaml.' },
      delimiter: { enum: [',', ';', '\t', '|'], default: ',', description: 'What stands between cells.' },
      entities: {
        type: 'object',
        minProperties: 1,
        description: 'The files, by the name that an entity has in the mapping.',
        examples: [{ people: { file: 'people.csv' } }],
        additionalProperties: {
          type: 'object',
          additionalProperties: false,
          required: ['file'],
          properties: {
            file: { type: 'string', minLength: 1, description: 'Its name in the folder.' },
            id: { type: 'string', default: 'id', description: 'The column with an id for each row.' },
          },
        },
      },
    },
  },

  // Two adapters of one gateway on the same files, for a while: the lock is between them too. So there is no `excludes`.
  open({ folder, delimiter, entities: sections }, { entities, baseDir }) {
    const root = resolve(baseDir, folder);
    const files = new Map(
      entities.map((use) => {
        const section = sections[use.entity];
        if (section === undefined) {
          throw new AdapterError('unsupported', `No file is named for the entity "${use.entity}".`);
        }
        return [use.entity, new CsvFile(use, resolve(root, section.file), section.id, delimiter)];
      }),
    );
    const csv = new CsvFolder(root, [...files.values()]);

    /**
     * @param {string} entity
     * @throws {AdapterError}
     */
    const fileOf = (entity) => {
      const file = files.get(entity);
      if (file === undefined) throw new AdapterError('unsupported', `The mapping uses no entity "${entity}".`);
      return file;
    };

    return {
      capabilities: withoutTimes(new RecordStore(entities).capabilities),

      async get(entity, id, { fields }) {
        return (await csv.read()).get(entity, id, known(fields));
      },

      async search(query) {
        return (await csv.read()).search({ ...query, fields: known(query.fields) });
      },

      async lookup(entity, query) {
        return (await csv.read()).lookup(entity, { ...query, fields: known(query.fields) });
      },

      async create(entity, record, { fields }, context) {
        const file = fileOf(entity);
        const given = withoutEmptyTexts(record);
        return csv.write(
          context,
          (store, contents) => {
            const content = contents.get(file);
            if (content !== undefined) file.requireColumns(content, Object.keys(given));
            return String(store.create(entity, given, []).$id);
          },
          (store, id) => required(store.get(entity, id, known(fields))),
        );
      },

      async update(entity, id, changes, { ifRevision, fields }, context) {
        const file = fileOf(entity);
        const given = changes.map(withoutEmptyValues);
        return csv.write(
          context,
          (store, contents) => {
            const content = contents.get(file);
            if (content !== undefined)
              file.requireColumns(
                content,
                given.map(({ field }) => field),
              );
            const revision = ifRevision === undefined ? {} : { ifRevision };
            return store.update(entity, id, given, { fields: [], ...revision }).changed;
          },
          (store, changed) => ({ changed, record: required(store.get(entity, id, known(fields))) }),
        );
      },

      async delete(entity, id, { ifRevision }, context) {
        fileOf(entity);
        await csv.write(
          context,
          (store) => store.delete(entity, id, ifRevision),
          () => undefined,
        );
      },

      async inspect() {
        /** @type {InspectionProblem[]} */
        const problems = [];
        for (const { name, use, missingColumns } of await Promise.all([...files.values()].map(inspected))) {
          for (const column of missingColumns) {
            const message = `${name} has no column "${column}": add it to the first line.`;
            problems.push({ severity: 'error', configPath: ['entities', use.entity, 'file'], message });
          }
        }
        if (problems.length === 0) await csv.read();
        const found = entities.map(({ entity, fields }) => ({
          entity,
          fields: fields.map(({ name, type, multiple, inverseOf }) => ({
            name,
            type,
            multiple,
            writable: inverseOf === undefined,
          })),
        }));
        return { entities: found, problems };
      },

      async check() {
        await csv.read();
      },

      async close() {
        await csv.finish();
      },
    };
  },
});

/** @param {CsvFile} file */
async function inspected(file) {
  return { name: file.name, use: file.use, missingColumns: await file.missingColumns() };
}

/**
 * A row does not say when it was made or changed.
 * @param {Capabilities} capabilities
 * @returns {Capabilities}
 */
function withoutTimes({ version, entities }) {
  return {
    version,
    entities: Object.fromEntries(
      Object.entries(entities).map(([name, entity]) => {
        const { $created, $modified, ...fields } = entity.fields;
        return [name, { ...entity, fields }];
      }),
    ),
  };
}

/** @param {readonly string[]} fields */
function known(fields) {
  return fields.filter((field) => field !== '$created' && field !== '$modified');
}

/**
 * An empty cell is no value, so an empty text is none either.
 * @param {BackendRecord} record
 * @returns {BackendRecord}
 */
function withoutEmptyTexts(record) {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) => {
      if (value === '') return [];
      return [[name, Array.isArray(value) ? /** @type {FieldValue} */ (value.filter((one) => one !== '')) : value]];
    }),
  );
}

/**
 * @param {Change} change
 * @returns {Change}
 */
function withoutEmptyValues(change) {
  if (!('values' in change)) return change;
  return /** @type {Change} */ ({ ...change, values: [...change.values].filter((value) => value !== '') });
}

/**
 * @param {BackendRecord | undefined} record
 * @returns {BackendRecord}
 */
function required(record) {
  if (record !== undefined) return record;
  throw new AdapterError('unavailable', 'The row is gone right after it was written.', { applied: 'unknown' });
}
