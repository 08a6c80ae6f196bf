import { describe, expect, it } from 'vitest';
import { attributeChanges, type EncodedChange, modificationsFor, splitChanges } from '../../adapters/ldap/changes.js';
import type { Entry } from '../../adapters/ldap/directory.js';
import type { FieldPlan } from '../../adapters/ldap/entity-plan.js';

function field(name: string, own: Partial<FieldPlan> = {}, multiple = true): FieldPlan {
  const use = {
    name,
    type: 'string',
    multiple,
    comparison: 'exact',
    unique: false,
    read: true,
    written: true,
  } as const;
  return {
    name,
    use,
    attribute: name,
    key: name.toLowerCase(),
    type: {
      oid: name,
      name,
      names: [name],
      superior: undefined,
      equality: 'caseIgnoreMatch',
      ordering: undefined,
      substrings: undefined,
      syntax: '1.3.6.1.4.1.1466.115.121.1.15',
      maxLength: undefined,
      isSingleValued: !multiple,
      isReadOnly: false,
      isOperational: false,
      isBinary: false,
      isDn: false,
    },
    form: 'text',
    isWhole: false,
    isSingle: !multiple,
    isWritable: true,
    targets: [],
    password: undefined,
    searchedIn: undefined,
    ...own,
  };
}

const mail = field('mail');
const title = field('title', {}, false);
const entry: Entry = {
  dn: 'uid=a,dc=x',
  attributes: new Map([
    ['mail', ['a@x', 'b@x']],
    ['title', ['Boss']],
    ['member', ['', 'uid=b,dc=x']],
  ]),
  controls: [],
};

function modifications(...changes: readonly EncodedChange[]) {
  return attributeChanges(changes, entry, '').flatMap(modificationsFor);
}

describe('changes of an entry', () => {
  it('take out the old value by name, so that a faster writer is noticed', () => {
    expect(modifications({ op: 'set', field: title, values: ['Chief'] })).toEqual([
      { op: 'delete', name: 'title', values: ['Boss'] },
      { op: 'add', name: 'title', values: ['Chief'] },
    ]);
  });

  it('are values added and removed, never a list written anew', () => {
    expect(modifications({ op: 'set', field: mail, values: ['b@x', 'c@x'] })).toEqual([
      { op: 'delete', name: 'mail', values: ['a@x'] },
      { op: 'add', name: 'mail', values: ['c@x'] },
    ]);
  });

  it('are none where everything is so already [7644-3.5.2.1-08]', () => {
    expect(modifications({ op: 'add', field: mail, values: ['a@x'] })).toEqual([]);
    expect(modifications({ op: 'remove', field: mail, values: ['z@x', 'A@X'] })).toEqual([]);
    expect(modifications({ op: 'set', field: mail, values: ['b@x', 'a@x'] })).toEqual([]);
  });

  it('fold in their order', () => {
    const changes: readonly EncodedChange[] = [
      { op: 'add', field: mail, values: ['c@x'] },
      { op: 'remove', field: mail, values: ['c@x', 'a@x'] },
      { op: 'set', field: title, values: [] },
    ];
    expect(modifications(...changes)).toEqual([
      { op: 'delete', name: 'mail', values: ['a@x'] },
      { op: 'delete', name: 'title', values: ['Boss'] },
    ]);
  });

  it('add no value that the server takes for one it has', () => {
    expect(modifications({ op: 'add', field: mail, values: ['A@X'] })).toEqual([]);
  });

  it('write an attribute whole that has no rule of equality', () => {
    const type = title.type === undefined ? undefined : { ...title.type, equality: undefined };
    const blob = { ...title, type };
    expect(modifications({ op: 'set', field: blob, values: ['x'] })).toEqual([
      { op: 'replace', name: 'title', values: ['x'] },
    ]);
  });

  it('see nobody in the value that stands for nobody', () => {
    const member = field('member', { form: 'reference', targets: ['people'] });
    const [change] = attributeChanges([{ op: 'set', field: member, values: [] }], entry, '');
    expect(change).toMatchObject({ before: ['uid=b,dc=x'], after: [], holdsNobody: true });
  });
});

describe('splitChanges', () => {
  const use = { ...mail.use, name: 'member', reference: { targets: ['people'], by: '$id' } };
  const member = field('member', { use, form: 'reference', targets: ['people'] });

  it('reads nothing for members that are added and removed, the last change of each counts', () => {
    const { local, blind } = splitChanges([
      { op: 'add', field: member, values: ['uid=a,dc=x', 'uid=b,dc=x'] },
      { op: 'remove', field: member, values: ['UID=B, dc=x'] },
    ]);
    expect(local).toEqual([]);
    expect(blind).toEqual([{ field: member, add: ['uid=a,dc=x'], remove: ['UID=B, dc=x'] }]);
  });

  it('reads them for a list as a whole', () => {
    const changes: readonly EncodedChange[] = [
      { op: 'add', field: member, values: ['uid=a,dc=x'] },
      { op: 'set', field: member, values: [] },
    ];
    expect(splitChanges(changes)).toEqual({ local: changes, blind: [] });
  });
});
