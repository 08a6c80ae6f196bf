import fc from 'fast-check';
import type {
  Adapter,
  Capabilities,
  Condition,
  EntityCapabilities,
  FieldCapability,
  FilterOp,
  Precision,
  SearchQuery,
} from '../../src/backend/adapter.js';
import { assertNever } from '../../src/scim/assert-never.js';
import { always } from '../../src/scim/filter.js';

/** How much less than it can an adapter says that it can. */
export interface Weakness {
  /** For a field (or `field.child`) and an operator. */
  readonly precision: (field: string, op: FilterOp) => Precision | 'none';
  readonly combine: { readonly and: boolean; readonly or: boolean; readonly not: boolean };
  readonly sortable: (field: string) => boolean;
  readonly offset: boolean;
  readonly total: boolean;
}

export const fullStrength: Weakness = {
  precision: () => 'exact',
  combine: { and: true, or: true, not: true },
  sortable: () => true,
  offset: true,
  total: true,
};

const mostly = fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false));

export const anyWeakness: fc.Arbitrary<Weakness> = fc.record({
  precision: fc
    .func(fc.constantFrom<Precision | 'none'>('exact', 'exact', 'exact', 'superset', 'none'))
    .map((choose) => (field: string, op: FilterOp) => choose(field, op)),
  combine: fc.record({ and: mostly, or: mostly, not: mostly }),
  sortable: fc.func(mostly).map((choose) => (field: string) => choose(field)),
  offset: mostly,
  total: mostly,
});

/**
 * An adapter that does less than the one inside. A condition that goes beyond what it says it can is a fault of the
 * caller and throws; where it says `superset` it selects everything, the worst that the word allows.
 */
export function weaken(adapter: Adapter, weakness: Weakness): Adapter {
  const capabilities: Capabilities = {
    ...adapter.capabilities,
    entities: Object.fromEntries(
      Object.entries(adapter.capabilities.entities).map(([name, entity]) => [name, weakenEntity(entity, weakness)]),
    ),
  };
  const checked = <Q extends Partial<SearchQuery> & { readonly entity: string }>(query: Q): Q => {
    const entity = capabilities.entities[query.entity];
    if (entity === undefined) throw new Error(`No capabilities of ${query.entity}.`);
    if (query.offset !== undefined && query.offset > 0 && !entity.offset) throw new Error('No offset was offered.');
    if (query.sort !== undefined) checkSort(query.sort, entity);
    return query.filter === undefined ? query : { ...query, filter: loosen(query.filter, entity.fields, entity) };
  };
  return {
    capabilities,
    get: (...args) => adapter.get(...args),
    search: async (query, context) => {
      const { total, ...result } = await adapter.search(checked(query), context);
      return weakness.total && total !== undefined ? { ...result, total } : result;
    },
    scan: (query, context) => adapter.scan(checked(query), context),
    create: (...args) => adapter.create(...args),
    update: (...args) => adapter.update(...args),
    delete: (...args) => adapter.delete(...args),
    lookup: (...args) => adapter.lookup(...args),
    inspect: (...args) => adapter.inspect(...args),
    describe: (...args) => adapter.describe(...args),
    check: (...args) => adapter.check(...args),
    close: () => adapter.close(),
  };
}

function weakenEntity(entity: EntityCapabilities, weakness: Weakness): EntityCapabilities {
  const { combine, offset, total } = weakness;
  return {
    ...entity,
    combine: {
      and: entity.combine.and && combine.and,
      or: entity.combine.or && combine.or,
      not: entity.combine.not && combine.not,
    },
    offset: entity.offset && offset,
    total: entity.total && total,
    fields: weakenFields(entity.fields, '', weakness),
  };
}

function weakenFields(
  fields: Readonly<Record<string, FieldCapability>>,
  prefix: string,
  weakness: Weakness,
): Readonly<Record<string, FieldCapability>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]): [string, FieldCapability] => {
      const operators: Partial<Record<FilterOp, Precision>> = {};
      for (const [op, own] of Object.entries(field.operators) as [FilterOp, Precision][]) {
        const wanted = weakness.precision(`${prefix}${name}`, op);
        if (wanted !== 'none') operators[op] = wanted === 'superset' ? 'superset' : own;
      }
      return [
        name,
        {
          ...field,
          operators,
          sortable: field.sortable && weakness.sortable(`${prefix}${name}`),
          ...(field.children === undefined
            ? {}
            : { children: weakenFields(field.children, `${prefix}${name}.`, weakness) }),
        },
      ];
    }),
  );
}

function checkSort({ field, child }: NonNullable<SearchQuery['sort']>, { fields }: EntityCapabilities): void {
  const capability = child === undefined ? fields[field] : fields[field]?.children?.[child];
  if (capability?.sortable !== true) throw new Error(`Sorting by ${field} was not offered.`);
}

/** The condition as loosely as was promised. @throws Error when it goes beyond what was promised */
function loosen(
  condition: Condition,
  fields: Readonly<Record<string, FieldCapability>>,
  { combine }: Pick<EntityCapabilities, 'combine'>,
  mustBeExact = false,
): Condition {
  const again = (operand: Condition, exact = mustBeExact): Condition => loosen(operand, fields, { combine }, exact);
  switch (condition.kind) {
    case 'compare':
    case 'present': {
      const op = condition.kind === 'present' ? 'pr' : condition.op;
      const precision = op === 'ne' ? undefined : fields[condition.path]?.operators[op];
      if (precision === undefined) throw new Error(`${op} on ${condition.path} was not offered.`);
      if (precision === 'superset' && mustBeExact) throw new Error(`The opposite of a superset on ${condition.path}.`);
      return precision === 'superset' ? always : condition;
    }
    case 'and':
    case 'or':
      if (condition.operands.length > 1 && !combine[condition.kind])
        throw new Error(`${condition.kind} was not offered.`);
      return { ...condition, operands: condition.operands.map((operand) => again(operand)) };
    case 'not':
      if (!combine.not) throw new Error('not was not offered.');
      return { ...condition, operand: again(condition.operand, true) };
    case 'valuePath': {
      const children = fields[condition.path]?.children;
      if (children === undefined) throw new Error(`${condition.path} has no children.`);
      return { ...condition, filter: loosen(condition.filter, children, { combine }, mustBeExact) };
    }
    default:
      return assertNever(condition);
  }
}
