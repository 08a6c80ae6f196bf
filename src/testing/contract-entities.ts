import type { AdapterEnvironment, EntityUse, FieldUse } from '../backend/adapter.js';
import { BackendPace } from '../backend/pace.js';

const text: Omit<FieldUse, 'name'> = {
  type: 'string',
  multiple: false,
  comparison: 'fold',
  unique: false,
  read: true,
  written: true,
};

/**
 * The entities that the suite works with. A subject whose backend cannot hold one of the fields leaves it out of its own
 * list: the tests that need it are then skipped and say so. `people.login` and `groups.title` cannot be left out.
 */
export const contractEntities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      { ...text, name: 'login', unique: true },
      { ...text, name: 'name' },
      { ...text, name: 'badge', comparison: 'exact' },
      { ...text, name: 'mail', comparison: 'exact', multiple: true },
      { ...text, name: 'tags', multiple: true },
      { ...text, name: 'age', type: 'number', comparison: 'number' },
      { ...text, name: 'enabled', type: 'boolean', comparison: 'boolean' },
      { ...text, name: 'hired', type: 'instant', comparison: 'instant' },
      { ...text, name: 'photo', type: 'bytes', comparison: 'exact' },
      {
        ...text,
        name: 'mails',
        type: 'records',
        multiple: true,
        children: [
          { ...text, name: 'value' },
          { ...text, name: 'type' },
          { ...text, name: 'primary', type: 'boolean', comparison: 'boolean' },
        ],
      },
      { ...text, name: 'manager', comparison: 'exact', reference: { targets: ['people'], by: '$id' } },
      {
        ...text,
        name: 'memberOf',
        comparison: 'exact',
        multiple: true,
        written: false,
        reference: { targets: ['groups'], by: '$id' },
        inverseOf: { entity: 'groups', field: 'members' },
      },
    ],
  },
  {
    entity: 'groups',
    fields: [
      { ...text, name: 'title', unique: true },
      {
        ...text,
        name: 'members',
        comparison: 'exact',
        multiple: true,
        reference: { targets: ['people', 'groups'], by: '$id' },
      },
      // Refers by a field that can change: a renamed person stays the contact.
      { ...text, name: 'contact', reference: { targets: ['people'], by: 'login' } },
      {
        ...text,
        name: 'owners',
        type: 'records',
        multiple: true,
        children: [
          { ...text, name: 'value', comparison: 'exact', reference: { targets: ['people', 'groups'], by: '$id' } },
          { ...text, name: 'type', comparison: 'exact' },
        ],
      },
    ],
  },
];

/**
 * The suite's entities less some fields, for a backend that cannot hold them.
 * @param fields as `people.photo`
 */
export function entitiesWithout(...fields: readonly string[]): readonly EntityUse[] {
  const names = contractEntities.flatMap((use) => use.fields.map(({ name }) => `${use.entity}.${name}`));
  const unknown = fields.filter((field) => !names.includes(field));
  if (unknown.length > 0) throw new Error(`The suite has no field ${unknown.join(', ')}; it has ${names.join(', ')}.`);
  return contractEntities.map((use) => ({
    ...use,
    fields: use.fields.filter(({ name }) => !fields.includes(`${use.entity}.${name}`)),
  }));
}

/** What a module is opened with. @param folder an existing one, for what the adapter writes */
export function environmentIn(folder: string, entities: readonly EntityUse[]): AdapterEnvironment {
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  return { gateway: 'contract', entities, baseDir: folder, dataDir: folder, log, pace: new BackendPace() };
}

/** Texts that backends get wrong: case, accents, wildcards, quotes, controls, characters beyond the first plane. */
export const awkwardTexts: readonly string[] = [
  'abc',
  'ABC',
  'aBc',
  'abcd',
  'xabc',
  'x abc y',
  'b',
  'ä',
  'Ä',
  'a\u0308', // ä decomposed
  'a',
  'É',
  'é',
  'e',
  'straße',
  'STRASSE',
  'I',
  'i',
  'ı',
  'ΟΔΟΣ',
  'οδος',
  'οδοσ',
  'ＡＢＣ', // full-width
  '日本',
  '😀',
  '😀b',
  '\ufffd', // after 😀 in UTF-16 order, before it in code point order
  '👩‍👩‍👧',
  '%',
  '_',
  'a%c',
  'a_c',
  '*',
  'a*c',
  '?',
  '[a-c]',
  "'",
  "O'Malley",
  '"',
  'say "hi"',
  '\\',
  '\\%',
  'a\\b',
  '!',
  '(',
  ')',
  '*)(login=*',
  "' OR 1=1--",
  'x; DROP TABLE people',
  ' ',
  ' lead',
  'trail ',
  'trail',
  'two  spaces',
  'two spaces',
  'tab\there',
  'line\nbreak',
  'a,b+c=d',
  '#hash',
  '9',
  '10',
  '010',
  '1e1',
  'true',
  'null',
  '{"$ne":1}',
  '',
  'nul\0byte',
  `long ${'x'.repeat(5_000)}`,
  `long ${'x'.repeat(5_000)}y`,
];
