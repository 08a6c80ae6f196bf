import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackendRecord, Condition } from '../../src/backend/adapter.js';
import { compileCondition } from '../../src/backend/condition.js';
import { type AttributePath, leafOf, type ResolvedFilter, type ResolvedPath } from '../../src/scim/attribute-path.js';
import { comparisonOf } from '../../src/scim/comparison.js';
import { strictDialect, tolerantDialect } from '../../src/scim/dialect.js';
import { ScimError } from '../../src/scim/error.js';
import { allOf, anyOf, type Filter, toNegationNormalForm } from '../../src/scim/filter.js';
import { compileFilter, evaluateFilter } from '../../src/scim/filter-evaluate.js';
import { parseFilter, parsePatchPath } from '../../src/scim/filter-parser.js';
import { printFilter } from '../../src/scim/filter-printer.js';
import { resolveFilter } from '../../src/scim/filter-resolve.js';
import { type Resource, type ResourceType, subAttribute } from '../../src/scim/schema.js';
import { anyCase } from './filter-arbitraries.js';

const resolve = (filter: Filter<AttributePath>, type: ResourceType): ResolvedFilter =>
  resolveFilter(filter, type, { dialect: tolerantDialect, unknown: 'reject' });

const runs = { numRuns: 500 };

describe('filters, by property', () => {
  it('are the same after printing and parsing', () => {
    fc.assert(
      fc.property(anyCase, ({ filter }) => {
        expect(parseFilter(printFilter(filter), strictDialect)).toEqual(flattened(filter));
      }),
      runs,
    );
  });

  it('mean the same after resolving, printing and resolving again', () => {
    fc.assert(
      fc.property(anyCase, ({ type, filter, resource }) => {
        const resolved = resolve(filter, type);
        const text = printFilter(resolved);
        fc.pre(text !== 'true' && text !== 'false');
        const again = resolve(parseFilter(text, strictDialect), type);
        expect(printFilter(again)).toBe(text);
        expect(evaluateFilter(again, resource)).toBe(evaluateFilter(resolved, resource));
      }),
      runs,
    );
  });

  it('mean the same in negation normal form, where "not" stands before terms only [7644-3.4.2.2-14]', () => {
    fc.assert(
      fc.property(anyCase, ({ type, filter, resource }) => {
        const resolved = resolve(filter, type);
        const normal = toNegationNormalForm(resolved);
        expect(hasOnlyNegatedTerms(normal)).toBe(true);
        expect(evaluateFilter(normal, resource)).toBe(evaluateFilter(resolved, resource));
        expect(evaluateFilter(toNegationNormalForm(resolved, true), resource)).toBe(
          !evaluateFilter(resolved, resource),
        );
      }),
      runs,
    );
  });

  it('mean the same over resources and over records of the same content', () => {
    fc.assert(
      fc.property(anyCase, ({ type, filter, resource }) => {
        const resolved = resolve(filter, type);
        const condition = toCondition(resolved);
        fc.pre(condition !== undefined);
        const fields = new Map(type.attributes.map((attribute) => [attribute.path, attribute]));
        const predicate = compileCondition(condition, (field, child) => {
          const attribute = fields.get(field);
          const leaf = attribute === undefined || child === undefined ? attribute : subAttribute(attribute, child);
          if (leaf === undefined) throw new Error(`no field ${field}`);
          return comparisonOf(leaf);
        });
        expect(predicate(toRecord(resource, type))).toBe(compileFilter(resolved)(resource));
      }),
      runs,
    );
  });

  it('are parsed or refused, and nothing else, whatever the text', () => {
    const word = fc.constantFrom(
      'a',
      'emails',
      'eq',
      'pr',
      'and',
      'or',
      'not',
      '(',
      ')',
      '[',
      ']',
      '.',
      '"x"',
      '1',
      'true',
      ' ',
      'urn:x:y:a',
      "'",
      '\\',
      '"',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word).map((words) => words.join(' ')),
      fc.array(word).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        for (const parse of [parseFilter, parsePatchPath]) {
          try {
            parse(source, tolerantDialect);
          } catch (error) {
            expect(error).toBeInstanceOf(ScimError);
            expect(error).toMatchObject({ status: 400, scimType: expect.stringMatching(/^invalid(Filter|Path)$/) });
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** What `parseFilter` makes of the same words. */
function flattened(filter: Filter<AttributePath>): Filter<AttributePath> {
  switch (filter.kind) {
    case 'and':
      return allOf(filter.operands.map(flattened));
    case 'or':
      return anyOf(filter.operands.map(flattened));
    case 'not':
      return { kind: 'not', operand: flattened(filter.operand) };
    case 'valuePath':
      return { ...filter, filter: flattened(filter.filter) };
    default:
      return filter;
  }
}

function hasOnlyNegatedTerms(filter: ResolvedFilter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.every(hasOnlyNegatedTerms);
    case 'not':
      return !['and', 'or', 'not'].includes(filter.operand.kind) && hasOnlyNegatedTerms(filter.operand);
    case 'valuePath':
      return hasOnlyNegatedTerms(filter.filter);
    case 'compare':
      return filter.op !== 'ne';
    case 'present':
      return true;
  }
}

/** Fields are called as the paths are. A record has no complex fields but child records: undefined where one would be needed. */
function toCondition(filter: ResolvedFilter, inside = false): Condition | undefined {
  switch (filter.kind) {
    case 'compare':
    case 'present': {
      const path = fieldOf(filter.path, inside);
      return path === undefined ? undefined : { ...filter, path };
    }
    case 'and':
    case 'or': {
      const operands = filter.operands.map((operand) => toCondition(operand, inside));
      return operands.every((operand) => operand !== undefined) ? { kind: filter.kind, operands } : undefined;
    }
    case 'not': {
      const operand = toCondition(filter.operand, inside);
      return operand === undefined ? undefined : { kind: 'not', operand };
    }
    case 'valuePath': {
      const inner = toCondition(filter.filter, true);
      return inner === undefined ? undefined : { kind: 'valuePath', path: filter.path.attribute.path, filter: inner };
    }
  }
}

function fieldOf({ attribute, sub }: ResolvedPath, inside: boolean): string | undefined {
  if (inside) return sub?.name;
  return sub === undefined ? leafOf({ attribute, sub }).path : undefined;
}

function toRecord(resource: Resource, type: ResourceType): BackendRecord {
  const entries = type.attributes.map((attribute) => {
    const container = attribute.inExtension && attribute.schema !== undefined ? resource[attribute.schema] : resource;
    return [attribute.path, (container as Resource | undefined)?.[attribute.name]] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as BackendRecord;
}
