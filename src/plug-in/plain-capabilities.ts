import type { Capabilities, EntityCapabilities, FieldCapability } from '../backend/adapter.js';

type Fields = Readonly<Record<string, unknown>>;

const comparisons: ReadonlySet<unknown> = new Set(['exact', 'fold', 'asciiFold', 'number', 'boolean', 'instant']);
const operators: ReadonlySet<string> = new Set(['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr']);
const claims = [
  'offset',
  'total',
  'revision',
  'write',
  'atomicUpdate',
  'enforcesUnique',
  'referentialIntegrity',
] as const satisfies readonly (keyof EntityCapabilities)[];

/**
 * Capabilities of others' adapters as plain data of our own, so that none changes behind the plans that were made from it.
 * @throws Error with the place and what belongs there
 */
export function plainCapabilities(declared: unknown): Capabilities {
  if (!isFields(declared)) throw new Error('"capabilities" is no object.');
  const plain: unknown = structuredClone({ version: declared.version, entities: declared.entities });
  const { version, entities } = plain as Fields;
  if (typeof version !== 'number') throw new Error('"capabilities.version" is no number.');
  for (const [name, entity] of entriesOf(entities, 'capabilities.entities')) {
    checkEntity(entity, `capabilities.entities.${name}`);
  }
  return plain as Capabilities;
}

function checkEntity(entity: unknown, place: string): void {
  for (const [name, field] of entriesOf((entity as Fields | undefined)?.fields, `${place}.fields`)) {
    checkField(field, `${place}.fields.${name}`);
  }
  const { combine } = entity as Fields;
  for (const key of ['and', 'or', 'not'])
    expectBoolean((combine as Fields | undefined)?.[key], `${place}.combine.${key}`);
  for (const key of claims) expectBoolean((entity as Fields)[key], `${place}.${key}`);
}

function checkField(field: unknown, place: string): void {
  const capability = field as Partial<FieldCapability> | undefined;
  if (!comparisons.has(capability?.comparison)) {
    throw new Error(`"${place}.comparison" is not one of ${[...comparisons].join(', ')}.`);
  }
  for (const [operator, precision] of entriesOf(capability?.operators, `${place}.operators`)) {
    const isKnown =
      operators.has(operator) && [undefined, 'exact', 'superset'].includes(precision as string | undefined);
    if (!isKnown)
      throw new Error(`"${place}.operators.${operator}" is not a filter operator with "exact" or "superset".`);
  }
  expectBoolean(capability?.sortable, `${place}.sortable`);
  if (capability?.children === undefined) return;
  for (const [name, child] of entriesOf(capability.children, `${place}.children`)) {
    checkField(child, `${place}.children.${name}`);
  }
}

function entriesOf(value: unknown, place: string): readonly (readonly [string, unknown])[] {
  if (!isFields(value)) throw new Error(`"${place}" is no object.`);
  return Object.entries(value);
}

function expectBoolean(value: unknown, place: string): void {
  if (typeof value !== 'boolean') throw new Error(`"${place}" is neither true nor false.`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
