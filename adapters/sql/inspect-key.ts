import type { EntityPlan } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import type { Findings, Path } from './findings.js';

/** Whether the key tells records apart, and new ones get one. */
export function inspectKey(plan: EntityPlan, path: Path, findings: Findings): void {
  const { writeTable: table, generated, use, dialect } = plan;
  const names = plan.key.columns.map(({ name }) => name);
  if (!names.every((name) => table.columns.has(name.toLowerCase()))) return;
  const at: Path = [...path, 'key'];
  const isUnique = table.indexes.some(
    ({ unique, partial, columns }) => unique && !partial && areAlone(plan, columns, names),
  );
  const isRowid = names.length === 1 && table.rowidColumn === names[0]?.toLowerCase();
  if (!table.isView && !isRowid && !isUnique) {
    const which = names.length === 1 ? 'column' : 'columns';
    const listed = names.map((name) => `"${name}"`).join(', ');
    const has = names.length === 1 ? 'has' : 'have';
    findings.error(at, `The ${which} ${listed} ${has} no UNIQUE index: two records could have the same id.`);
  }
  if (plan.generateKey === 'uuid' && generated?.kind === 'integer' && !table.isView) {
    const numbered = dialect.isSerial ? 'is no INTEGER PRIMARY KEY' : 'counts nothing up by itself';
    const what = names.length === 1 ? 'The key is an integer and' : `"${generated.name}" is an integer and`;
    findings.error(at, `${what} ${numbered}: new records need \`generateKey: database\`.`);
  }
  inspectKeyValues(plan, at, findings);
  if (
    plan.generateKey === 'database' &&
    names.length === 1 &&
    table.rowidColumn !== undefined &&
    !table.isAutoincrement &&
    plan.deleted === undefined
  ) {
    findings.warning(
      at,
      `"${table.name}" has no AUTOINCREMENT: the id of the last record can be given again after it is deleted.`,
    );
  }
  const idField = use.id === undefined || use.id.startsWith('$') ? undefined : plan.fields.get(use.id);
  if (idField !== undefined && !isKeyField(plan, idField)) {
    findings.error(at, `The mapping takes the id from "${use.id}", which is another column than the key.`);
  }
}

function isKeyField({ key }: EntityPlan, field: FieldPlan): boolean {
  if (field.kind !== 'column') return false;
  const columns = field.scalar.spread?.(null).map((item) => item.column) ?? [field.column];
  return columns.length === key.columns.length && columns.every(({ name }, index) => name === key.columns[index]?.name);
}

/** Of a key of several columns, the ones that a new record would have no value for. */
function inspectKeyValues(
  { key, fixed, fields, generated, writeTable }: EntityPlan,
  at: Path,
  findings: Findings,
): void {
  const isWritten = [...fields.values()].some(({ use, isWritable }) => use.written && isWritable);
  if (key.columns.length === 1 || writeTable.isView || !isWritten) return;
  key.columns.forEach(({ name }, index) => {
    const isFixed = fixed.some((item) => item.column === name);
    const isFilled = [...fields.values()].some(
      (field) => field.kind === 'column' && field.use.written && field.isWritable && field.column.name === name,
    );
    if (isFixed || isFilled || generated?.name === name) return;
    findings.warning(
      [...at, index],
      `New records get no value in "${name}": a field has to write it, or \`fixed\` says it.`,
    );
  });
}

/** Beside columns that are the same in all rows that are ours, the index has this one only. */
export function isAlone(plan: EntityPlan, columns: readonly (string | undefined)[], own: string): boolean {
  return areAlone(plan, columns, [own]);
}

function areAlone({ fixed }: EntityPlan, columns: readonly (string | undefined)[], own: readonly string[]): boolean {
  const others = new Set(fixed.map((item) => item.column.toLowerCase()));
  const varying = columns.filter((name) => name === undefined || !others.has(name.toLowerCase()));
  const wanted = new Set(own.map((name) => name.toLowerCase()).filter((name) => !others.has(name)));
  return varying.length === wanted.size && varying.every((name) => wanted.has(name?.toLowerCase() ?? ''));
}
