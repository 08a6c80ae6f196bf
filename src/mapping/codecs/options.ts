import { isObject } from '../../scim/schema.js';
import type { AttributeValue } from '../codec.js';

/** Reads a codec's options and notes what is wrong with them. Lives for one rule. */
export class CodecOptions {
  readonly problems: string[] = [];
  readonly #codec: string;
  readonly #options: { readonly [option: string]: unknown };

  constructor(codec: string, options: { readonly [option: string]: unknown }) {
    this.#codec = codec;
    this.#options = options;
  }

  problem(message: string): undefined {
    this.problems.push(`Codec "${this.#codec}": ${message}`);
    return undefined;
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  /** Text that is not empty. */
  text(name: string, fallback: string): string {
    const value = this.#value(name);
    if (value === undefined) return fallback;
    if (typeof value === 'string' && value !== '') return value;
    this.problem(`"${name}" is a text that is not empty.`);
    return fallback;
  }

  choice<T extends string>(name: string, allowed: readonly T[], fallback: T | undefined): T | undefined {
    const value = this.#value(name);
    if (value === undefined) return fallback;
    const found = allowed.find((candidate) => candidate === value);
    return found ?? this.problem(`"${name}" is one of ${allowed.join(', ')}.`);
  }

  scalar(name: string): AttributeValue | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    return isScalar(value) ? value : this.problem(`"${name}" is a text, a number or a boolean.`);
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) return value;
    return this.problem(`"${name}" is a list of texts.`);
  }

  /** A table: each name with one value or a list of values. */
  table(name: string): readonly (readonly [key: string, values: readonly AttributeValue[]])[] | undefined {
    const value = this.#value(name);
    if (!isObject(value) || Object.keys(value).length === 0) {
      return this.problem(`"${name}" is a table: the attribute's value, then the field's value or a list of them.`);
    }
    const rows: (readonly [string, readonly AttributeValue[]])[] = [];
    for (const [key, item] of Object.entries(value)) {
      const values: readonly unknown[] = Array.isArray(item) ? item : [item];
      if (values.length > 0 && values.every(isScalar)) rows.push([key, values]);
      else this.problem(`"${name}.${key}" is a text, a number or a boolean, or a list of them.`);
    }
    return rows;
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#options, name) ? this.#options[name] : undefined;
  }
}

function isScalar(value: unknown): value is AttributeValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
