import { describe, expect, it } from 'vitest';
import { compileMappings } from '../../src/mapping/compile.js';
import type { MappingConfig } from '../../src/mapping/rule.js';
import type { ResourceType } from '../../src/scim/schema.js';
import { groupType, schemaOf, type TestType, typeRules, userType, userTypeWith } from '../support/test-service.js';

const userName = { userName: 'uid' } as const;

interface Case {
  /** What is wrong. */
  readonly wrong: string;
  readonly rules: MappingConfig;
  /** Where the problem is placed: the rule's key and what follows inside it. */
  readonly at: readonly (string | number)[];
  /** What the message says is right instead. */
  readonly says: string | RegExp;
  readonly type?: ResourceType;
  readonly others?: readonly TestType[];
}

const carType = userTypeWith(
  schemaOf(
    {
      id: 'urn:example:params:scim:schemas:extension:car:2.0:User',
      attributes: [
        {
          name: 'cars',
          type: 'complex',
          multiValued: true,
          subAttributes: [{ name: 'plate' }, { name: 'seats', type: 'integer' }],
        },
        { name: 'car', type: 'complex', subAttributes: [{ name: 'plate' }] },
        { name: 'colours', multiValued: true },
      ],
    },
    'extension',
  ),
);

const keys: readonly Case[] = [
  { wrong: 'no such attribute', rules: { usrName: 'uid' }, at: ['usrName'], says: 'did you mean "userName"?' },
  {
    wrong: 'no such sub-attribute',
    rules: { 'name.first': 'gn' },
    at: ['name.first'],
    says: /names no attribute of User|has no sub-attribute "first"; it has .*givenName/,
  },
  {
    wrong: 'no such sub-attribute of a slot',
    rules: { 'emails[type eq "work"].address': 'mail' },
    at: ['emails[type eq "work"].address'],
    says: '"emails" has no sub-attribute "address"; it has value',
  },
  { wrong: 'no path at all', rules: { 'emails[': 'mail' }, at: ['emails['], says: 'is no attribute path' },
  {
    wrong: 'brackets after a single value',
    rules: { 'name[givenName eq "a"].familyName': 'sn' },
    at: ['name[givenName eq "a"].familyName'],
    says: '"name" is not a list of complex values, so it takes no [ ].',
  },
  {
    wrong: 'brackets that are no constants',
    rules: { 'emails[value sw "a"].value': 'mail' },
    at: ['emails[value sw "a"].value'],
    says: 'names constants: [type eq "work"], several joined by "and"',
  },
  { wrong: 'the id', rules: { id: 'uid' }, at: ['id'], says: 'name its field with "id:" beside "mapping:"' },
  { wrong: 'meta', rules: { 'meta.created': 'born' }, at: ['meta.created'], says: '"meta" is made by the gateway' },
  { wrong: 'schemas', rules: { schemas: 's' }, at: ['schemas'], says: 'leave this rule out' },
  {
    wrong: 'one path in two letter cases',
    rules: { displayName: 'cn', DISPLAYNAME: 'name' },
    at: ['DISPLAYNAME'],
    says: '"DISPLAYNAME" and "displayName" are rules for the same path; keep one.',
  },
  {
    wrong: 'one path by its name and by itself',
    rules: { workEmail: 'mail', 'emails[type eq "WORK"].value': 'mail2' },
    at: ['emails[type eq "WORK"].value'],
    says: 'are rules for the same path; keep one.',
  },
  {
    wrong: 'one path with and without its "value"',
    rules: {
      manager: { field: 'a', reference: { to: ['User'] } },
      'manager.value': { field: 'b', reference: { to: ['User'] } },
    },
    at: ['manager.value'],
    says: '"manager.value" and "manager" are rules for the same path; keep one.',
  },
  {
    wrong: 'two writers of one field',
    rules: { displayName: 'cn', title: 'cn' },
    at: ['title'],
    says: '"title" and "displayName" both write the field "cn"; make one of them readOnly.',
  },
  {
    wrong: 'two writers of one field, one of them a list',
    rules: { displayName: 'x', emails: { field: 'x', records: 'all' } },
    at: ['emails'],
    says: 'both write the field "x"; make one of them readOnly.',
  },
];

const leaves: readonly Case[] = [
  { wrong: 'no field', rules: { title: { required: true } }, at: ['title'], says: 'names a "field" (or a "constant")' },
  {
    wrong: 'a constant and a field',
    rules: { title: { field: 'title', constant: 'x' } },
    at: ['title', 'constant'],
    says: 'either a "constant" or a "field"',
  },
  {
    wrong: 'a constant of another type',
    rules: { active: { constant: 'maybe' } },
    at: ['active', 'constant'],
    says: 'must be true or false',
  },
  {
    wrong: 'an empty constant',
    rules: { title: { constant: '' } },
    at: ['title', 'constant'],
    says: 'needs a value here, not an empty text',
  },
  {
    wrong: 'neither read nor written',
    rules: { title: { field: 't', readOnly: true, writeOnly: true } },
    at: ['title', 'writeOnly'],
    says: 'cannot be both readOnly and writeOnly',
  },
  {
    wrong: 'writing what the backend makes',
    rules: { externalId: '$id' },
    at: ['externalId', 'field'],
    says: 'say "readOnly: true"',
  },
  {
    wrong: 'one field for many values',
    rules: { colours: { field: 'c', multiple: false } },
    type: carType,
    at: ['colours', 'multiple'],
    says: 'needs a codec such as join',
  },
  {
    wrong: 'a default of another type',
    rules: { active: { field: 'a', default: 'maybe' } },
    at: ['active', 'default'],
    says: 'must be true or false',
  },
  {
    wrong: 'an allowed value of another type',
    rules: { active: { field: 'a', values: [true, 7] } },
    at: ['active', 'values', 1],
    says: 'must be true or false',
  },
  {
    wrong: 'a default that is not allowed',
    rules: { userType: { field: 't', values: ['A', 'B'], default: 'C' } },
    at: ['userType', 'default'],
    says: '"default" is one of "values": A, B.',
  },
  {
    wrong: 'onUnknown without values',
    rules: { userType: { field: 't', onUnknown: 'reject' } },
    at: ['userType', 'onUnknown'],
    says: 'values outside "values"; list those',
  },
  {
    wrong: 'onUnknown: default without a default',
    rules: { userType: { field: 't', values: ['A'], onUnknown: 'default' } },
    at: ['userType', 'onUnknown'],
    says: 'needs a "default"',
  },
  {
    wrong: 'a made-up externalId',
    rules: { externalId: { field: 'x', fallbackOnCreate: '{userName}' } },
    at: ['externalId', 'fallbackOnCreate'],
    says: 'is never made up here (RFC 7643 §3.1)',
  },
  {
    wrong: 'a template for what is no text',
    rules: { active: { field: 'a', template: '{userName}' } },
    at: ['active', 'template'],
    says: 'A template makes text; "active" is of type boolean.',
  },
  {
    wrong: 'a template of an unknown attribute',
    rules: { displayName: { field: 'cn', template: '{nam.givenName}' } },
    at: ['displayName', 'template'],
    says: 'names no attribute of User',
  },
  {
    wrong: 'a template that is not written',
    rules: { displayName: { field: 'cn', template: '{userName}', readOnly: true } },
    at: ['displayName', 'template'],
    says: 'so the rule cannot be readOnly',
  },
  {
    wrong: 'a fallback that is not read',
    rules: { displayName: { field: 'cn', fallback: '{userName}', writeOnly: true } },
    at: ['displayName', 'fallback'],
    says: 'so the rule cannot be writeOnly',
  },
  {
    wrong: 'a fallback that shows the password',
    rules: { displayName: { field: 'cn', fallback: '{password}' } },
    at: ['displayName', 'fallback'],
    says: 'cannot show what is never returned',
  },
  {
    wrong: 'an unknown codec',
    rules: { active: { field: 'a', codec: 'adEnabled' } },
    at: ['active', 'codec'],
    says: /There is no codec "adEnabled"\. Codecs are .*adAccountEnabled/,
  },
  {
    wrong: 'a codec for another type',
    rules: { title: { field: 't', codec: 'adAccountEnabled' } },
    at: ['title', 'codec'],
    says: 'it is for attributes of type boolean',
  },
];

const meaningless: readonly Case[] = [
  ['records on a single value', { title: { field: 't', records: 'all' } }, ['title', 'records'], 'a single attribute'],
  ['a default slot that is none', { title: { field: 't', defaultSlot: true } }, ['title', 'defaultSlot'], 'a slot'],
  [
    'a field for a constant slot part',
    { title: { constant: 'x', required: true } },
    ['title', 'required'],
    'a constant',
  ],
  [
    'a reference on plain text',
    { title: { field: 't', reference: { to: ['User'] } } },
    ['title', 'reference'],
    'a part of',
  ],
  [
    'allowed values of child records',
    { emails: { field: 'm', records: 'all', values: ['a'] } },
    ['emails', 'values'],
    'a list kept as child records',
  ],
  [
    'a unique list of references',
    { groups: { field: 'g', readOnly: true, unique: true, reference: { to: ['Group'] } } },
    ['groups', 'unique'],
    'a list of references',
  ],
  [
    'a default of many references',
    { groups: { field: 'g', readOnly: true, default: 'x', reference: { to: ['Group'] } } },
    ['groups', 'default'],
    'means nothing here',
  ],
].map(([wrong, rules, at, says]) => ({ wrong, rules, at, says }) as Case);

const lists: readonly Case[] = [
  {
    wrong: 'a complex attribute as a whole',
    rules: { name: 'cn' },
    at: ['name'],
    says: '"name" is complex: give a rule for each part that has a home (name.formatted, name.familyName',
  },
  {
    wrong: 'a reference beside "value"',
    rules: { 'manager.displayName': { field: 'm', readOnly: true, reference: { to: ['User'] } } },
    at: ['manager.displayName', 'reference'],
    says: 'A reference is kept in "value"',
  },
  {
    wrong: 'a whole list and a part of it',
    rules: { emails: { field: 'm', records: 'all' }, 'emails[type eq "work"].value': 'mail' },
    at: ['emails[type eq "work"].value'],
    says: '"emails" already maps the whole of "emails"; keep one of the two.',
  },
  {
    wrong: 'records without a field',
    rules: { emails: { records: 'all' } },
    at: ['emails'],
    says: 'names the "field" that holds them',
  },
  {
    wrong: 'records of an unknown part',
    rules: { emails: { field: 'm', records: { adress: 'a' } } },
    at: ['emails', 'records', 'adress'],
    says: '"emails" has no sub-attribute "adress"; it has value',
  },
  {
    wrong: 'two parts in one child field',
    rules: { emails: { field: 'm', records: { value: 'a', display: 'a' } } },
    at: ['emails', 'records', 'display'],
    says: 'both in the child field "a"; give each its own',
  },
  {
    wrong: 'a list without a name for its part',
    rules: { cars: 'plates' },
    type: carType,
    at: ['cars'],
    says: 'Name the part that the field holds: "cars.plate".',
  },
  {
    wrong: 'a slot whose type is a constant and a field',
    rules: { 'emails[type eq "work"].value': 'mail', 'emails[type eq "work"].type': 'kind' },
    at: ['emails[type eq "work"].type'],
    says: '"type" is "work" in every element of this slot; leave this rule out.',
  },
  {
    wrong: 'a slot of constants alone',
    rules: { 'emails[type eq "work"].primary': { constant: true } },
    at: ['emails[type eq "work"].primary'],
    says: 'add a rule with a field',
  },
  {
    wrong: 'many values of two parts',
    rules: {
      'emails[type eq "work"].value': { field: 'mail', multiple: true },
      'emails[type eq "work"].display': 'text',
    },
    at: ['emails[type eq "work"].value', 'multiple'],
    says: 'Use "records" for several.',
  },
  {
    wrong: 'a fallback for many elements',
    rules: { 'emails[type eq "work"].value': { field: 'mail', multiple: true, fallback: '{userName}' } },
    at: ['emails[type eq "work"].value', 'fallback'],
    says: 'makes one element; this slot has many',
  },
  {
    wrong: 'a slot inside another',
    rules: { 'emails[type eq "work"].value': 'mail', 'emails[type eq "work" and primary eq true].value': 'mail2' },
    at: ['emails[type eq "work" and primary eq true].value'],
    says: 'can mean the same element; give both a constant that differs, such as type.',
  },
  {
    wrong: 'a slot for anything beside another',
    rules: { 'emails[type eq "work"].value': 'mail', 'emails.value': 'mail2' },
    at: ['emails.value'],
    says: 'can mean the same element',
  },
  {
    wrong: 'primary as a constant and mapped',
    rules: {
      'emails[type eq "work"].value': 'mail',
      'emails[type eq "work"].primary': { constant: true },
      'emails[type eq "home"].value': 'mail2',
      'emails[type eq "home"].primary': 'isPrimary',
    },
    at: ['emails[type eq "home"].value'],
    says: '"primary" of "emails" is either a constant of a slot or mapped, not both.',
  },
  {
    wrong: 'two primary slots',
    rules: {
      'emails[type eq "work" and primary eq true].value': 'mail',
      'emails[type eq "home" and primary eq true].value': 'mail2',
    },
    at: ['emails[type eq "home" and primary eq true].value'],
    says: 'only one element can be primary',
  },
  {
    wrong: 'a primary slot of many elements',
    rules: { 'emails[primary eq true].value': { field: 'mails', multiple: true } },
    at: ['emails[primary eq true].value'],
    says: 'only one can be primary',
  },
  {
    wrong: 'two default slots',
    rules: {
      'emails[type eq "work"].value': { field: 'mail', defaultSlot: true },
      'emails[type eq "home"].value': { field: 'mail2', defaultSlot: true },
    },
    at: ['emails[type eq "home"].value', 'defaultSlot'],
    says: 'has a default slot already, "emails[type eq "work"]"; mark one.',
  },
];

const group: TestType = {
  type: groupType,
  rules: { displayName: 'cn', members: { field: 'm', reference: { to: ['User'] } } },
};

const references: readonly Case[] = [
  {
    wrong: 'a type that the gateway has not',
    rules: { manager: { field: 'm', reference: { to: ['Person'] } } },
    at: ['manager', 'reference', 'to', 0],
    says: 'This gateway has no resource type "Person"; it has User.',
  },
  {
    wrong: 'types that are looked up by different fields',
    rules: { groups: { field: 'g', readOnly: true, reference: { to: ['User', 'Group'] } } },
    others: [{ ...group, lookupField: 'dn' }],
    at: ['groups', 'reference', 'to'],
    says: 'Say which with "by", or give the types the same "lookupField".',
  },
  {
    wrong: 'keeping an id where a name is kept',
    rules: { manager: { field: 'm', reference: { to: ['User'], by: 'dn', unknownReference: 'keep' } } },
    at: ['manager', 'reference', 'unknownReference'],
    says: 'Use drop or reject.',
  },
  {
    wrong: 'showing an attribute that nobody has',
    rules: { manager: { field: 'm', reference: { to: ['User'], display: 'fullName' } } },
    at: ['manager', 'reference', 'display'],
    says: '"fullName" names no attribute of User.',
  },
  {
    wrong: 'showing a complex attribute',
    rules: { manager: { field: 'm', reference: { to: ['User'], display: 'name' } } },
    at: ['manager', 'reference', 'display'],
    says: '"name" is complex; name a part of it, such as name.formatted.',
  },
  {
    wrong: 'a list of references without a field',
    rules: { groups: { readOnly: true, reference: { to: ['Group'] } } },
    others: [group],
    at: ['groups'],
    says: 'names the "field" that holds the references',
  },
  {
    wrong: 'references in a list without "value"',
    rules: { cars: { field: 'c', reference: { to: ['User'] } } },
    type: carType,
    at: ['cars'],
    says: 'has no "value", so it cannot hold references',
  },
  {
    wrong: 'child records that refer by nothing',
    rules: { groups: { field: 'g', readOnly: true, records: { type: 't' }, reference: { to: ['Group'] } } },
    others: [group],
    at: ['groups', 'records'],
    says: 'says which child field holds the "value"',
  },
  {
    wrong: 'an inverse of a type that is not there',
    rules: { groups: { field: 'g', readOnly: true, reference: { to: ['Group'], inverseOf: 'Team.members' } } },
    others: [group],
    at: ['groups', 'reference', 'inverseOf'],
    says: 'This gateway has no resource type "Team".',
  },
  {
    wrong: 'an inverse of what is no reference',
    rules: { groups: { field: 'g', readOnly: true, reference: { to: ['Group'], inverseOf: 'Group.displayName' } } },
    others: [group],
    at: ['groups', 'reference', 'inverseOf'],
    says: '"displayName" of Group has no rule with a reference.',
  },
  {
    wrong: 'an inverse that is written',
    rules: { manager: { field: 'm', reference: { to: ['Group'], inverseOf: 'Group.members' } } },
    others: [group],
    at: ['manager', 'reference', 'inverseOf'],
    says: 'is never written: add "readOnly: true"',
  },
];

const groups = { keys, leaves, meaningless, lists, references };

describe.each(Object.entries(groups))('problems of rules: %s', (_, cases) => {
  it.each(cases)('$wrong', ({ rules, at, says, type = userType, others = [] }) => {
    const { problems } = compileMappings([{ type, rules: { ...userName, ...rules } }, ...others].map(typeRules));
    const errors = problems.map(({ origin, at: inside, message }) => ({
      at: [...origin.path.slice(1), ...inside],
      message,
    }));
    const found = errors.filter((problem) => JSON.stringify(problem.at) === JSON.stringify(at));
    expect(errors.map((problem) => problem.at)).toContainEqual(at);
    expect(found.map(({ message }) => message).join('\n')).toMatch(says instanceof RegExp ? says : literal(says));
  });
});

describe('rules without problems', () => {
  it.each<{ right: string; rules: MappingConfig; others?: readonly TestType[] }>([
    {
      right: 'one field read twice and written once',
      rules: { displayName: 'cn', title: { field: 'cn', readOnly: true } },
    },
    { right: 'a field made by the backend, read only', rules: { externalId: { field: '$id', readOnly: true } } },
    {
      right: 'slots that differ by type',
      rules: { workEmail: 'mail', otherEmail: { field: 'mails', multiple: true } },
    },
    {
      right: 'a primary slot beside others',
      rules: { 'emails[type eq "work" and primary eq true].value': 'mail', 'emails[type eq "home"].value': 'mail2' },
    },
    { right: 'one text in many values', rules: { title: { field: 't', codec: 'split', multiple: true } } },
    {
      right: 'references of several types by one field',
      rules: { groups: { field: 'g', readOnly: true, reference: { to: ['User', 'Group'], by: 'dn' } } },
      others: [group],
    },
  ])('$right', ({ rules, others = [] }) => {
    const types = [{ type: userType, rules: { ...userName, ...rules } }, ...others];
    expect(compileMappings(types.map(typeRules)).problems).toEqual([]);
  });

  it('give every type its plan, whatever is wrong with it', () => {
    const { plans } = compileMappings([typeRules({ type: userType, rules: { nonsense: 'x', userName: 'uid' } })]);
    expect(plans.get('User')?.byPath.has('userName')).toBe(true);
  });
});

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}
