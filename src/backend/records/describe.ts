import type { BackendRecord, Change, Condition, DescribableOperation, SearchQuery } from '../adapter.js';

/** The operation as one readable line; nothing is carried out. */
export function describeOperation(operation: DescribableOperation): string {
  switch (operation.kind) {
    case 'search':
      return describeSearch(operation.query, printValue);
    case 'create':
      return `create in ${operation.entity}: ${describeRecord(operation.record)}`;
    case 'update': {
      const changes = operation.changes.map(describeChange).join('; ');
      return `update ${operation.entity} ${printValue(operation.id)}: ${changes === '' ? 'nothing' : changes}`;
    }
  }
}

/** As in a trace: without the values that the condition compares with. */
export function traceSearch(query: Omit<SearchQuery, 'limit' | 'wantTotal'>): string {
  return describeSearch(query, () => '?');
}

type Print = (value: unknown) => string;

function describeSearch(query: Partial<SearchQuery> & Pick<SearchQuery, 'entity'>, print: Print): string {
  const { sort } = query;
  const sortField = sort?.child === undefined ? sort?.field : `${sort.field}.${sort.child}`;
  return [
    `search ${query.entity}`,
    query.filter === undefined ? '' : ` where ${describeCondition(query.filter, print)}`,
    sort === undefined ? '' : ` sort by ${sortField}${sort.descending ? ' descending' : ''}`,
    query.after === undefined ? '' : ' after a position',
    query.offset === undefined ? '' : ` offset ${query.offset}`,
    query.limit === undefined ? '' : ` limit ${query.limit}`,
    query.wantTotal === true ? ' with total' : '',
  ].join('');
}

function describeCondition(condition: Condition, print: Print): string {
  switch (condition.kind) {
    case 'compare':
      return `${condition.path} ${condition.op} ${print(condition.value)}`;
    case 'present':
      return `${condition.path} pr`;
    case 'and':
    case 'or': {
      if (condition.operands.length === 0) return condition.kind === 'and' ? 'true' : 'false';
      return `(${condition.operands.map((operand) => describeCondition(operand, print)).join(` ${condition.kind} `)})`;
    }
    case 'not':
      return `not (${describeCondition(condition.operand, print)})`;
    case 'valuePath':
      return `${condition.path}[${describeCondition(condition.filter, print)}]`;
  }
}

function describeChange(change: Change): string {
  switch (change.op) {
    case 'set':
    case 'add':
    case 'remove':
      return `${change.op} ${change.field} ${printValue(change.values)}`;
    case 'updateWhere':
      return `set ${change.field}[${describeCondition(change.where, printValue)}] ${printValue(change.set)}`;
    case 'removeWhere':
      return `remove ${change.field}[${describeCondition(change.where, printValue)}]`;
  }
}

function describeRecord(record: BackendRecord): string {
  return Object.entries(record)
    .map(([field, value]) => `${field} ${printValue(value)}`)
    .join(', ');
}

function printValue(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Uint8Array) return `${part.length} bytes`;
    return typeof part === 'bigint' ? part.toString() : part;
  });
  return text ?? 'nothing';
}
