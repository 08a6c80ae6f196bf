import { instantKey } from '../scim/comparison.js';

/**
 * Stands in for the values of one request. The same value has the same placeholder, which tells of its kind only, so that
 * the request can be sent again with values that nobody owns: `${value1}`, `${mail2}`, `${time1}`, `${url1}`, `${number1}`.
 */
export class Placeholders {
  readonly #known = new Map<string | number, string>();
  readonly #counts = new Map<string, number>();

  of(value: string | number): string {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const placeholder = this.#next(kindOf(value));
    this.#known.set(value, placeholder);
    return placeholder;
  }

  /** For what must not even be told to be equal to something else. */
  secret(): string {
    return this.#next('secret');
  }

  #next(kind: string): string {
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    return `\${${kind}${number}}`;
  }
}

function kindOf(value: string | number): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'number' : 'decimal';
  if (instantKey(value) !== undefined) return 'time';
  if (/^[^\s@]+@[^\s@]+$/.test(value)) return 'mail';
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(value) ? 'url' : 'value';
}
