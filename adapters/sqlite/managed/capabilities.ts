import type {
  EntityCapabilities,
  FieldCapability,
  FieldUse,
  FilterOp,
  Precision,
} from '../../../src/backend/adapter.js';
import type { ManagedEntity, ManagedField } from './layout.js';

const textOperators = ['pr', 'eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
const orderedOperators = ['pr', 'eq', 'gt', 'ge', 'lt', 'le'] as const;

/** Every declared field can be filtered by with every operator that its type has, exactly. */
export function capabilitiesOf(entity: ManagedEntity): EntityCapabilities {
  const fields: Record<string, FieldCapability> = {};
  for (const [name, field] of entity.fields) {
    if (field.kind !== 'absent') fields[name] = capabilityOf(field);
  }
  const id: FieldCapability = { comparison: 'exact', operators: exactly(textOperators), sortable: true };
  const time: FieldCapability = { comparison: 'instant', operators: exactly(orderedOperators), sortable: true };
  return {
    fields: {
      ...fields,
      ...(entity.idField === undefined ? {} : { [entity.idField]: id }),
      $id: id,
      $created: time,
      $modified: time,
    },
    combine: { and: true, or: true, not: true },
    offset: true,
    total: true,
    revision: true,
    write: true,
    atomicUpdate: true,
    enforcesUnique: true,
    referentialIntegrity: true,
    keepsUnknownIds: true,
  };
}

function capabilityOf({ kind, use }: ManagedField): FieldCapability {
  const { comparison, type, multiple } = use;
  const operators = exactly(operatorsOf(type));
  switch (kind) {
    case 'value':
      return { comparison, operators, sortable: type !== 'bytes' };
    case 'records':
      return { comparison, operators, sortable: false, children: childrenOf(use, true) };
    case 'link':
      if (type !== 'records') return { comparison, operators, sortable: !multiple };
      return { comparison, operators, sortable: false, children: childrenOf(use, false) };
    case 'inverse': {
      if (type !== 'records') return { comparison: 'exact', operators, sortable: false };
      return { comparison, operators, sortable: false, children: childrenOf(use, false) };
    }
    case 'absent':
      return { comparison, operators: {}, sortable: false };
  }
}

function childrenOf({ children = [] }: FieldUse, areSortable: boolean): Readonly<Record<string, FieldCapability>> {
  return Object.fromEntries(
    children.map(({ name, type, comparison }) => [
      name,
      { comparison, operators: exactly(operatorsOf(type)), sortable: areSortable && type !== 'bytes' },
    ]),
  );
}

function operatorsOf(type: FieldUse['type']): readonly FilterOp[] {
  switch (type) {
    case 'string':
      return textOperators;
    case 'number':
    case 'instant':
      return orderedOperators;
    case 'boolean':
    case 'bytes':
      return ['pr', 'eq'];
    case 'records':
      return ['pr'];
  }
}

function exactly(operators: readonly FilterOp[]): Readonly<Partial<Record<FilterOp, Precision>>> {
  return Object.fromEntries(operators.map((operator) => [operator, 'exact']));
}
