import type { BackendRecord, Change, DescribableOperation, SearchQuery } from '../../src/backend/adapter.js';
import { valuesOf } from '../../src/backend/record.js';
import type { EntityPlan } from './entity-plan.js';
import { compileFilter } from './filters.js';
import { both, printFilter } from './ldap-filter.js';
import { planRead } from './read.js';

/** An operation in the words of LDAP, for `explain`. Values of passwords are left out; what cannot be known yet is named. */
export function describeOperation(operation: DescribableOperation, plan: EntityPlan | undefined): string {
  if (plan === undefined) return 'Known with --connect only: the directory was not asked for its schema.';
  try {
    switch (operation.kind) {
      case 'search':
        return describeSearch(operation.query, plan);
      case 'update':
        return [
          `dn: (the entry of ${plan.entity} whose ${plan.id.attribute} is ${operation.id})`,
          'changetype: modify',
          ...operation.changes.flatMap((change) => describeChange(change, plan)),
        ].join('\n');
      case 'create':
        return describeCreate(operation.record, plan);
    }
  } catch (error) {
    return `It would be refused: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function describeSearch(query: SearchQuery, plan: EntityPlan): string {
  const compiled = compileFilter(query.filter, plan, (_, id) => `(the DN of ${id})`);
  const lines = [
    `base: ${plan.base}`,
    `scope: ${plan.scope}`,
    `filter: ${printFilter(both([plan.filter, compiled.filter]))}`,
    `attributes: ${planRead(plan, query.fields).attributes.join(', ')}`,
  ];
  if (compiled.residual !== undefined) lines.push('What comes is compared once more by the gateway.');
  if (query.sort !== undefined) lines.push(`Sorted by the gateway by ${query.sort.field}.`);
  return lines.join('\n');
}

function describeChange(change: Change, plan: EntityPlan): readonly string[] {
  const field = plan.fields.get(change.field);
  const name = field?.attribute ?? change.field;
  if (!('values' in change)) return [`${change.op}: ${name}`, '-'];
  const operation = change.op === 'set' ? 'replace' : change.op === 'add' ? 'add' : 'delete';
  const shown = change.values.map((value) => `${name}: ${field?.password === undefined ? shownValue(value) : '…'}`);
  return [`${operation}: ${name}`, ...shown, '-'];
}

function describeCreate(record: BackendRecord, plan: EntityPlan): string {
  const { create } = plan;
  if (create === undefined) return `The configuration does not say how entries of ${plan.entity} are made.`;
  const name = create.dn.rdns
    .map((rdn) =>
      rdn
        .map(({ type, value }) => {
          const parts = value.parts.map((part) => (typeof part === 'string' ? part : `{${part.field}}`));
          return `${type}=${parts.join('')}`;
        })
        .join('+'),
    )
    .join(',');
  const lines = Object.entries(record).flatMap(([field, value]) => {
    const own = plan.fields.get(field);
    const values = valuesOf(value);
    return values.map((one) => `${own?.attribute ?? field}: ${own?.password === undefined ? shownValue(one) : '…'}`);
  });
  return [`dn: ${name}`, 'changetype: add', ...create.objectClasses.map((own) => `objectClass: ${own}`), ...lines].join(
    '\n',
  );
}

function shownValue(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? '');
}
