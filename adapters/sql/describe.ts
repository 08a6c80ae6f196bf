import type { DescribableOperation } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { type EntityPlans, planOf } from './entity-plan.js';
import { searchStatements } from './search.js';
import { runOnPaper } from './work.js';
import { createRecord, updateRecord, type Writer } from './write-records.js';

/** The statements of an operation with their parameters spelled out, a line each. Nothing is carried out. */
export function describeOperation(plans: EntityPlans, operation: DescribableOperation): string {
  if (operation.kind === 'search') {
    const plan = planOf(plans, operation.query.entity);
    const { page, count } = searchStatements(plan, operation.query);
    return [page, count]
      .flatMap((statement) => (statement === undefined ? [] : [`${plan.dialect.print(statement)};`]))
      .join('\n');
  }
  const lines: string[] = [];
  const writer: Writer = { plans, now: new Date().toISOString(), newKey: () => '<new id>' };
  const plan = planOf(plans, operation.entity);
  const { print } = plan.dialect;
  try {
    if (operation.kind === 'create') runOnPaper(createRecord(writer, plan, operation.record), print, lines);
    else runOnPaper(updateRecord(writer, plan, operation.id, operation.changes, undefined), print, lines);
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    lines.push(`-- ${error.message}`);
  }
  return lines.join('\n');
}
