import { describe, expect, it } from 'vitest';
import { nearest } from '../../config/nearest.js';
import { formatPath } from '../../config/problem.js';
import { locate, toAdapterProblem, toProblem } from '../../config/source.js';
import { editDistance } from '../../src/scim/edit-distance.js';
import { load, withResources } from './temp-config.js';

const mapping = ['gateways', 'corp', 'resources', 'User', 'mapping'];

describe('places of problems that are found later', () => {
  const text = withResources(`      User:
        adapter: store
        use: [scim]
        mapping:
          userName: { field: uid, reference: { to: [User, Nobody] } }
          title: jobTitle
`);

  it('are those of the part that the problem names, else of the rule', () => {
    const { sources, dir } = load({ 'gateway.yaml': text });
    const origin = { source: `${dir}/gateway.yaml`, path: [...mapping, 'userName'] };
    const at = (...path: (string | number)[]): string => {
      const { line, column } = locate(sources, origin, path);
      return `${line}:${column}`;
    };
    expect(at()).toBe('10:11');
    expect(at('field')).toBe('10:30');
    expect(at('reference', 'to', 1)).toBe('10:59');
    expect(at('reference', 'display')).toBe('10:35');
    const title = { source: origin.source, path: [...mapping, 'title'] };
    expect(locate(sources, title, ['field'])).toMatchObject({ line: 11, column: 18 });
  });

  it('become problems with file, line, column and path', () => {
    const { sources, dir } = load({ 'gateway.yaml': text });
    const origin = { source: `${dir}/gateway.yaml`, path: [...mapping, 'userName'] };
    const problem = { severity: 'error', origin, at: ['reference', 'to', 1], message: 'No.' } as const;
    expect(toProblem(sources, problem)).toEqual({
      severity: 'error',
      file: `${dir}/gateway.yaml`,
      line: 10,
      column: 59,
      path: 'gateways.corp.resources.User.mapping.userName.reference.to[1]',
      message: 'No.',
    });
  });

  it('are where the preset is named, for rules that it generated', () => {
    const { sources, config } = load({ 'gateway.yaml': text });
    const rule = config?.gateways[0]?.resources[0]?.rules.find(({ key }) => key === 'emails');
    const origin = rule?.origin ?? { source: '', path: [] };
    const problem = toProblem(sources, { severity: 'error', origin, at: ['records'], message: 'No.' });
    expect(problem).toMatchObject({ line: 8, column: 15, message: 'The preset\'s rule for "emails": No.' });
  });

  it('are inside the preset for presets that are files', () => {
    const { sources, config } = load({
      'gateway.yaml': withResources('      User: { adapter: store, use: unifybroker }\n'),
    });
    const origin = config?.gateways[0]?.resources[0]?.rules[0]?.origin ?? { source: '', path: [] };
    expect(toProblem(sources, { severity: 'error', origin, at: [], message: 'No.' })).toMatchObject({
      file: 'preset unifybroker',
      line: 11,
      column: 7,
    });
  });

  it("are in the adapter's own section for what an adapter finds", () => {
    const section = 'store: { type: sqlite, entities: { people: { table: users } } }';
    const loaded = load({ 'gateway.yaml': text.replace('store: { type: memory }', section) });
    const problem = { severity: 'warning', configPath: ['entities', 'people', 'table'], message: 'No table.' } as const;
    expect(toAdapterProblem(loaded.sources, 'store', problem)).toMatchObject({
      severity: 'warning',
      line: 2,
      column: 65,
      path: 'adapters.store.entities.people.table',
    });
  });

  it('are at the start of what has no file', () => {
    const sources = { documents: new Map(), main: undefined };
    const origin = { source: 'preset scim', path: ['User', 'emails'] };
    expect(toProblem(sources, { severity: 'error', origin, at: [], message: 'No.' })).toMatchObject({
      file: 'preset scim',
      line: 1,
      column: 1,
    });
  });
});

describe('suggestions', () => {
  it('find what differs by few letters, in any case', () => {
    expect(nearest('adress', ['address', 'adapter'])).toBe('address');
    expect(nearest('MAXRESULT', ['maxResults', 'maxMembers'])).toBe('maxResults');
    expect(nearest('xyz', ['address', 'adapter'])).toBeUndefined();
  });

  it('count exchanged neighbours as one change', () => {
    expect(editDistance('feild', 'field')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});

describe('formatPath', () => {
  it('quotes segments that are no plain names', () => {
    expect(formatPath(['gateways', 'corp', 'use', 0, 'a b'])).toBe('gateways.corp.use[0]["a b"]');
    expect(formatPath([])).toBe('');
  });
});
