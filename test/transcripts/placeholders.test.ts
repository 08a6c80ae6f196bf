// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of transcripts look like those of template strings.
import { describe, expect, it } from 'vitest';
import { createScope, fill, fillText } from './placeholders.js';

const newScope = () => createScope({ token: 'secret', base: 'http://host/scim', basic: 'c2NpbTp4' });

describe('placeholders', () => {
  it('keeps the type of a value when the text is only a placeholder', () => {
    const scope = newScope();
    scope.save('list', [1, 2]);
    scope.save('flag', false);
    expect(fill({ a: '${list}', b: '${flag}', c: 'is ${flag}' }, scope)).toEqual({
      a: [1, 2],
      b: false,
      c: 'is false',
    });
  });

  it('fills keys', () => {
    const scope = newScope();
    scope.save('name', 'title');
    expect(fill({ '${name}': 1, 'x.${name}': 2 }, scope)).toEqual({ title: 1, 'x.title': 2 });
  });

  it('gives one mark per run, also in capitals', () => {
    const scope = newScope();
    const run = fillText('${run}', scope);
    expect(run).toMatch(/^[a-z0-9]+$/);
    expect(fillText('${run} ${RUN}', scope)).toBe(`${run} ${run.toUpperCase()}`);
    expect(fillText('${run}', newScope())).not.toBe(run);
  });

  it('gives the same UUID for the same key', () => {
    const scope = newScope();
    const first = fillText('${uuid:a}', scope);
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(fillText('${uuid:a}', scope)).toBe(first);
    expect(fillText('${uuid:b}', scope)).not.toBe(first);
  });

  it('knows the server and the time', () => {
    const scope = newScope();
    expect(fillText('${token} ${base} ${basic}', scope)).toBe('secret http://host/scim c2NpbTp4');
    const [now, future] = ['${now}', '${future}'].map((text) => Date.parse(fillText(text, scope)));
    expect(Math.round(((future ?? 0) - (now ?? 0)) / 3_600_000)).toBe(24);
  });

  it('changes the case of saved values', () => {
    const scope = newScope();
    scope.save('id', 'aB');
    expect(fillText('${upper:id} ${lower:id}', scope)).toBe('AB ab');
  });

  it('encodes values for their place', () => {
    const scope = newScope();
    scope.save('id', 'a/b c');
    expect(fillText('/Users/${id}', scope, encodeURIComponent)).toBe('/Users/a%2Fb%20c');
  });

  it.each(['${nosuch}', 'x ${upper:nosuch}', '${i}'])('fails on the unknown %s', (text) => {
    expect(() => fill(text, newScope())).toThrow('Unknown placeholder');
  });

  it('fails on basic credentials that were not given', () => {
    const scope = createScope({ token: 'secret', base: 'http://host/scim' });
    expect(() => fillText('${basic}', scope)).toThrow('Unknown placeholder');
  });
});

describe('generators', () => {
  it('repeats an item with its number', () => {
    expect(fill({ $times: 2, plus: 1, item: { value: 'm${i}', n: '${i}' } }, newScope())).toEqual([
      { value: 'm1', n: 1 },
      { value: 'm2', n: 2 },
      { value: 'm3', n: 3 },
    ]);
  });

  it('takes a saved number for the size', () => {
    const scope = newScope();
    scope.save('max', 2);
    expect(fill({ $times: '${max}', plus: 1, item: 0 }, scope)).toEqual([0, 0, 0]);
  });

  it('pads a text to a length', () => {
    expect(fill({ a: { $pad: 3, plus: 2 } }, newScope())).toEqual({ a: 'xxxxx' });
  });

  it('refuses a size that is no number', () => {
    expect(() => fill({ $pad: 'many' }, newScope())).toThrow('not a length');
  });
});
