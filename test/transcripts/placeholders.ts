import { randomBytes, randomUUID } from 'node:crypto';

/** The names that placeholders may use while one file runs. */
export interface Scope {
  /** @throws Error when the name is unknown */
  valueOf(name: string): unknown;
  save(name: string, value: unknown): void;
  /** The same names with `${i}` set. */
  withIndex(index: number): Scope;
}

export interface ScopeOptions {
  readonly token: string;
  readonly base: string;
  /** base64 of `user:password`, when the server has basic credentials. */
  readonly basic?: string | undefined;
}

export function createScope(options: ScopeOptions): Scope {
  const run = `r${randomBytes(4).toString('hex')}`;
  const saved = new Map<string, unknown>();
  const uuids = new Map<string, string>();
  const fixed: Readonly<Record<string, () => unknown>> = {
    run: () => run,
    RUN: () => run.toUpperCase(),
    now: () => new Date().toISOString(),
    future: () => new Date(Date.now() + 86_400_000).toISOString(),
    token: () => options.token,
    base: () => options.base,
    basic: () => options.basic,
  };
  const uuid = (key: string): string => {
    const known = uuids.get(key) ?? randomUUID();
    uuids.set(key, known);
    return known;
  };
  const lookUp = (name: string): unknown => {
    const value = saved.has(name) ? saved.get(name) : fixed[name]?.();
    if (value === undefined) throw new Error(`Unknown placeholder \${${name}}.`);
    return value;
  };
  const scope = (index: number | undefined): Scope => ({
    valueOf: (name) => {
      if (name === 'i' && index !== undefined) return index;
      const [, verb, key = ''] = /^(uuid|upper|lower):(.+)$/.exec(name) ?? [];
      if (verb === 'uuid') return uuid(key);
      if (verb === 'upper') return String(lookUp(key)).toUpperCase();
      if (verb === 'lower') return String(lookUp(key)).toLowerCase();
      return lookUp(name);
    },
    save: (name, value) => void saved.set(name, value),
    withIndex: (next) => scope(next),
  });
  return scope(undefined);
}

const whole = /^\$\{([^}]+)\}$/;
const every = /\$\{([^}]+)\}/g;

/** Fills placeholders in a text. `encode` treats each value, e.g. for its place in a URL. */
export function fillText(text: string, scope: Scope, encode: (value: string) => string = (value) => value): string {
  return text.replace(every, (_, name: string) => encode(String(scope.valueOf(name))));
}

/**
 * Fills placeholders in values and keys, and carries out the generators `$times` and `$pad`.
 * A text that is only a placeholder becomes the value itself, with its type.
 */
export function fill(template: unknown, scope: Scope): unknown {
  if (typeof template === 'string') {
    const name = whole.exec(template)?.[1];
    return name === undefined ? fillText(template, scope) : scope.valueOf(name);
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, scope));
  if (typeof template !== 'object' || template === null) return template;
  if ('$times' in template && 'item' in template) {
    const { item } = template;
    return Array.from({ length: generatedSize(template, '$times', scope) }, (_, index) =>
      fill(item, scope.withIndex(index + 1)),
    );
  }
  if ('$pad' in template) return 'x'.repeat(generatedSize(template, '$pad', scope));
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [fillText(key, scope), fill(value, scope)]));
}

function generatedSize(generator: object, key: '$times' | '$pad', scope: Scope): number {
  const { [key]: size, plus = 0 } = generator as Readonly<Record<string, unknown>>;
  const total = Number(fill(size, scope)) + Number(fill(plus, scope));
  if (!Number.isInteger(total) || total < 0) throw new Error(`${key} gives ${total}, not a length.`);
  return total;
}
