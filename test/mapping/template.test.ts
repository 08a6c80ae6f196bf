import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTemplate, type Template } from '../../src/mapping/template.js';

const known = () => ({ ok: true }) as const;

function compiled(text: string): Template {
  const { template, problems } = compileTemplate(text, known);
  if (template === undefined) throw new Error(problems.join('\n'));
  return template;
}

const render = (text: string, values: Readonly<Record<string, string>>, escapeValue?: (text: string) => string) =>
  compiled(text).render((path) => (Object.hasOwn(values, path) ? values[path] : undefined), escapeValue);

describe('compileTemplate', () => {
  it('puts values in the place of paths', () => {
    const values = { 'name.givenName': 'Barbara', 'name.familyName': 'Jensen' };
    expect(render('{name.givenName} {name.familyName}', values)).toBe('Barbara Jensen');
    expect(render('{ name.familyName }, {name.givenName}', values)).toBe('Jensen, Barbara');
    expect(render('no placeholder', {})).toBe('no placeholder');
  });

  it('lists the paths, each once', () => {
    expect(compiled('{a}{b.c ?? a|lower} {d}').paths).toEqual(['a', 'b.c', 'd']);
  });

  it('takes paths with filters and URNs', () => {
    const slot = 'emails[type eq "work" and value co "}|??"].value';
    const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department';
    expect(compiled(`{${slot}|lower}-{${urn} ?? a}`).paths).toEqual([slot, urn, 'a']);
    expect(render(`{${slot}|upper}`, { [slot]: 'x' })).toBe('X');
  });

  it('takes doubled braces for braces', () => {
    expect(render('{{{a}}} {{}}', { a: '1' })).toBe('{1} {}');
  });

  it.each([
    ['{a|lower}', 'abc@example.com'],
    ['{a|upper}', 'ABC@EXAMPLE.COM'],
    ['{a|before:@}', 'Abc'],
    ['{a|after:@}', 'Example.com'],
    ['{a|after:@|before:.|lower}', 'example'],
    ['{a|before:"@Ex"}', 'Abc'],
    ['{ a | before:@ | lower }', 'abc'],
    ['{a|before:#}', 'Abc@Example.com'],
    ['{a|after:#}', undefined],
    ['{b|trim}', 'x y'],
    ['{b|trim|before:" "}', 'x'],
    ['{c|after:"\\""}', 'q'],
    ['{c|before:"|"}', 'p"q'],
  ])('%s gives %j', (text, expected) => {
    expect(render(text, { a: 'Abc@Example.com', b: '  x y ', c: 'p"q' })).toBe(expected);
  });

  it('takes the first alternative with a value', () => {
    expect(render('{a ?? b ?? c}', { b: '', c: 'C' })).toBe('C');
    expect(render('{a|after:@ ?? b|lower}', { a: 'x', b: 'B' })).toBe('b');
    expect(render('{a|upper ?? b|lower}', { a: 'x', b: 'B' })).toBe('X');
  });

  it("escapes values and not the template's own text", () => {
    const escapeValue = (text: string) => text.replaceAll(',', '\\,');
    expect(render('cn={a},ou=x', { a: 'Jensen, B' }, escapeValue)).toBe('cn=Jensen\\, B,ou=x');
  });
});

describe('a placeholder without a value', () => {
  it('gives no text when no placeholder has one', () => {
    expect(render('Dr. {a} {b}', {})).toBeUndefined();
    expect(render('{a}', { a: '' })).toBeUndefined();
  });

  it.each([
    ['{x} {a}', 'A'],
    ['{a} {x}', 'A'],
    ['{a} {x} {b}', 'A B'],
    ['{x} {y} {a} {b}', 'A B'],
    ['{a} {x} {y} {b}', 'A B'],
    ['{a} {b} {x} {y}', 'A B'],
    ['Dr. {x} {a}', 'Dr. A'],
    ['{a}  {b}', 'A  B'],
    ['{a}, {x}', 'A,'],
    ['({x}) {a}', '() A'],
    ['{x}{a} ', 'A '],
    [' {a}', ' A'],
  ])('takes the white space around it along: %j gives %j', (text, expected) => {
    expect(render(text, { a: 'A', b: 'B' })).toBe(expected);
  });

  it('never touches the white space of values', () => {
    expect(render('{a} {x}', { a: 'A ' })).toBe('A ');
    expect(render('{a}{x} {b}', { a: 'A ', b: ' B' })).toBe('A   B');
    // an escaped blank at the end belongs to the value
    expect(render('{a} {x}', { a: 'A ' }, (text) => text.replace(/ $/, '\\ '))).toBe('A\\ ');
  });
});

describe('compileTemplate: problems', () => {
  it.each([
    ['{a', 'Column 1: this "{" is never closed; write "{{" for a brace.'],
    ['x {a} }', 'Column 7: this "}" closes nothing; write "}}" for a brace.'],
    ['ab{}', 'Column 4: a placeholder names an attribute, such as {userName}.'],
    ['{a ?? }', 'Column 7: a placeholder names an attribute, such as {userName}.'],
    ['{a|lowr}', 'Column 4: there is no filter "lowr"; filters are lower, upper, trim, before:X and after:X.'],
    [
      '{a|constructor}',
      'Column 4: there is no filter "constructor"; filters are lower, upper, trim, before:X and after:X.',
    ],
    ['{a| }', 'Column 5: there is no filter ""'],
    ['{a|before}', 'Column 4: "before" needs a text to look for, such as before:@ or before:" ".'],
    ['{a|after:""}', 'Column 4: "after" needs a text to look for'],
    ['{a|lower:x}', 'Column 4: "lower" takes no text after ":".'],
    ['{a[x eq "}]', 'Column 1: this "{" is never closed'],
  ])('%j: %s', (text, message) => {
    const { template, problems } = compileTemplate(text, known);
    expect(template).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  it('tells what the caller says of a path, where the path stands', () => {
    const { template, problems } = compileTemplate('{a} { nosuch|lower}', (path) =>
      path === 'a' ? { ok: true } : { ok: false, message: `there is no attribute "${path}".` },
    );
    expect(template).toBeUndefined();
    expect(problems).toEqual(['Column 7: there is no attribute "nosuch".']);
  });

  it('reports all problems at once', () => {
    expect(compileTemplate('{} } {a|x}', known).problems).toHaveLength(3);
  });

  it('never throws, and gives a template exactly when there is no problem', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('{', '}', 'a', ' ', '|', '?', ':', '"', '[', ']', '\\', '@'),
          maxLength: 20,
        }),
        (text) => {
          const { template, problems } = compileTemplate(text, known);
          expect(template === undefined).toBe(problems.length > 0);
          template?.render(() => ' v ');
          template?.render(() => undefined);
        },
      ),
    );
  });

  it('renders text without braces as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(render(text.replace(/[{}]/g, '$&$&'), {})).toBe(text);
      }),
    );
  });
});
