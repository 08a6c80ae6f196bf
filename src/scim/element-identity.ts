import { asComplex } from './attribute-value.js';
import { comparisonOf, keyOf } from './comparison.js';
import type { Comparing } from './patch-elements.js';
import { type Attribute, isObject, type JsonValue, subAttribute } from './schema.js';

/**
 * Which elements of a multi-valued attribute are the same value: those with the same key. By `value` alone where it is an
 * id that cannot change (members), else by `value` and `type` (RFC 7643 §2.4), else as a whole. Lists may be long, so
 * elements are never compared with each other, and keys of elements that stay are kept.
 */
export class ElementIdentity {
  readonly #attribute: Attribute;
  readonly #comparing: Comparing;
  readonly #value: Attribute | undefined;
  readonly #type: Attribute | undefined;
  readonly #keys = new WeakMap<object, string>();
  #indexed: readonly JsonValue[] | undefined;
  #index: Map<string, number> = new Map();

  constructor(attribute: Attribute, comparing: Comparing) {
    this.#attribute = attribute;
    this.#comparing = comparing;
    this.#value = attribute.type === 'complex' ? subAttribute(attribute, 'value') : undefined;
    const type = subAttribute(attribute, 'type');
    this.#type = this.#value?.mutability === 'immutable' ? undefined : type;
  }

  /** Undefined for an element that is the same as none, not even itself: its value cannot be compared. */
  keyOf(element: JsonValue): string | undefined {
    if (!isObject(element)) return this.#keyOfParts(element);
    const known = this.#keys.get(element);
    if (known !== undefined) return known;
    const key = this.#keyOfParts(element);
    if (key !== undefined) this.#keys.set(element, key);
    return key;
  }

  /** Where the first element of each key stands. May be added to, for elements that are put at the end of the list. */
  index(elements: readonly JsonValue[]): Map<string, number> {
    if (this.#indexed !== elements) {
      this.#index = new Map();
      for (let at = elements.length - 1; at >= 0; at--) {
        const key = this.keyOf(elements[at] as JsonValue);
        if (key !== undefined) this.#index.set(key, at);
      }
      this.#indexed = elements;
    }
    return this.#index;
  }

  /** The index that was given last is that of these elements now. */
  keepIndex(elements: readonly JsonValue[]): void {
    this.#indexed = elements;
  }

  #keyOfParts(element: JsonValue): string | undefined {
    if (this.#attribute.type !== 'complex') return this.#part(this.#attribute, element);
    const parts = asComplex(element);
    if (this.#value === undefined || parts.value === undefined) {
      return joined(
        this.#attribute.subAttributes.map((sub) => {
          const part = parts[sub.name];
          return part === undefined ? '' : this.#part(sub, part);
        }),
      );
    }
    const type = this.#type === undefined ? '' : this.#part(this.#type, parts.type ?? '');
    return joined([this.#part(this.#value, parts.value), type]);
  }

  #part(attribute: Attribute, value: JsonValue): string | undefined {
    return partKey(attribute, value, this.#comparing);
  }
}

/**
 * Which elements a `remove` list means: by `value`, else by all that the list's entry says. Entries that say the same
 * kinds of things are looked up together.
 */
export function createListedTest(
  attribute: Attribute,
  listed: readonly JsonValue[],
  comparing: Comparing,
): (element: JsonValue) => boolean {
  if (attribute.type !== 'complex') {
    const keys = new Set(listed.map((item) => partKey(attribute, item, comparing)));
    return (element) => {
      const key = partKey(attribute, element, comparing);
      return key !== undefined && keys.has(key);
    };
  }
  const keyBy = (subs: readonly Attribute[], element: JsonValue): string | undefined => {
    const parts = asComplex(element);
    return joined(
      subs.map((sub) => {
        const part = parts[sub.name];
        return part === undefined ? undefined : partKey(sub, part, comparing);
      }),
    );
  };
  const kinds = new Map<string, { readonly subs: readonly Attribute[]; readonly keys: Set<string> }>();
  const value = subAttribute(attribute, 'value');
  for (const item of listed) {
    const said = asComplex(item);
    const subs =
      value !== undefined && said.value !== undefined
        ? [value]
        : attribute.subAttributes.filter((sub) => said[sub.name] !== undefined);
    const key = keyBy(subs, item);
    if (key === undefined) continue;
    const name = subs.map((sub) => sub.name).join(' ');
    const kind = kinds.get(name) ?? { subs, keys: new Set<string>() };
    kinds.set(name, kind);
    kind.keys.add(key);
  }
  return (element) => {
    for (const { subs, keys } of kinds.values()) {
      const key = keyBy(subs, element);
      if (key !== undefined && keys.has(key)) return true;
    }
    return false;
  };
}

/** Never ambiguous, as each part tells its length. */
function joined(parts: readonly (string | undefined)[]): string | undefined {
  let text = '';
  for (const part of parts) {
    if (part === undefined) return undefined;
    text += `${part.length}:${part}`;
  }
  return text;
}

/** Tells kinds of values apart; '' is for what is absent. */
function partKey(
  attribute: Attribute,
  value: JsonValue,
  { comparisonFor = comparisonOf }: Comparing,
): string | undefined {
  if (Array.isArray(value)) return `l${JSON.stringify([...value].map((item) => JSON.stringify(item)).sort())}`;
  const key = keyOf(comparisonFor(attribute), value);
  return key === undefined ? undefined : `${typeof key === 'string' ? 's' : typeof key === 'number' ? 'n' : 'b'}${key}`;
}
