import type { Inspection, InspectionProblem } from '../../src/backend/adapter.js';
import type { Calls } from './calls.js';
import { capabilitiesOf } from './capabilities.js';
import { type EntityPlan, type EntityPlans, type FieldPlan, fitsSyntax } from './entity-plan.js';
import type { ServerProfile } from './server-kind.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** What the server's schema says of the mapped fields, and what of the configuration does not go with it. */
export async function inspectEntities(plans: EntityPlans, calls: Calls): Promise<Inspection> {
  const problems: InspectionProblem[] = [];
  for (const plan of plans.values()) {
    problems.push(...(await baseProblems(plan, calls)), ...classProblems(plan), ...idProblems(plan));
    for (const field of plan.fields.values()) problems.push(...fieldProblems(plan, field));
  }
  const entities = [...plans.values()].map((plan) => ({
    entity: plan.entity,
    fields: [...plan.fields.values()].map((field) => ({
      name: field.name,
      type: syntaxName(field),
      multiple: field.use.multiple,
      writable: field.isWritable,
    })),
  }));
  return { entities, problems };
}

function syntaxName({ type, form }: FieldPlan): string {
  if (form === 'reference' || form === 'dn' || type?.isDn === true) return 'dn';
  return type?.isBinary === true ? 'bytes' : form === 'text' ? 'string' : form;
}

async function baseProblems(plan: EntityPlan, calls: Calls): Promise<readonly InspectionProblem[]> {
  const configPath = ['entities', plan.entity, 'base'];
  try {
    const found = await calls.base(plan.entity, plan.base, { kind: 'present', attribute: 'objectClass' }, ['1.1']);
    if (found !== undefined) return [];
  } catch (error) {
    if (!hasResultCode(error, resultCode.noSuchObject, resultCode.invalidDnSyntax)) throw error;
  }
  const message = `The directory has no entry "${plan.base}", or does not show it to the gateway's account.`;
  return [{ severity: 'error', configPath, message }];
}

function classProblems(plan: EntityPlan): readonly InspectionProblem[] {
  const { create, server, entity } = plan;
  if (create === undefined) return [];
  return create.objectClasses.flatMap((name, index): readonly InspectionProblem[] => {
    if (server.schema.objectClass(name) !== undefined) return [];
    const configPath = ['entities', entity, 'create', 'objectClasses', index];
    return [{ severity: 'error', configPath, message: `The directory's schema has no object class "${name}".` }];
  });
}

function idProblems({ id, entity }: EntityPlan): readonly InspectionProblem[] {
  if (id.type !== undefined) return [];
  const message = `The directory's schema has no attribute "${id.attribute}", which is to be the id.`;
  return [{ severity: 'error', configPath: ['entities', entity, 'id'], message }];
}

function fieldProblems(plan: EntityPlan, field: FieldPlan): readonly InspectionProblem[] {
  const { use, attribute, type } = field;
  if (field.key === 'dn' || field.searchedIn !== undefined) return [];
  const problem = (severity: 'error' | 'warning', message: string): InspectionProblem => ({
    severity,
    configPath: ['entities', plan.entity, 'fields', field.name],
    message,
  });
  if (type === undefined) {
    return [
      problem('error', `The directory's schema has no attribute "${attribute}".${hintFor(attribute, plan.server)}`),
    ];
  }
  const problems: InspectionProblem[] = [];
  if (use.multiple && type.isSingleValued) {
    problems.push(problem('error', `"${attribute}" holds one value only, and is mapped as one that holds many.`));
  }
  if (use.written && type.isReadOnly && use.inverseOf === undefined) {
    problems.push(problem('error', `"${attribute}" is kept by the directory itself and cannot be written.`));
  }
  if (!fitsSyntax(field)) {
    problems.push(problem('error', `"${attribute}" does not hold what it is mapped as (${use.type}).`));
  }
  const { eq } = capabilitiesOf(plan).fields[field.name]?.operators ?? {};
  if (use.unique && eq === undefined) {
    problems.push(problem('error', `"${attribute}" cannot be searched for: the schema gives it no rule for equality.`));
  }
  if (plan.create !== undefined && use.written && !isAllowed(plan, type.names)) {
    const classes = plan.create.objectClasses.join(', ');
    problems.push(problem('warning', `The object classes ${classes} do not allow the attribute "${attribute}".`));
  }
  return problems;
}

/** Nearest spelling: a common slip is a name of another directory. */
function hintFor(attribute: string, { schema }: ServerProfile): string {
  const lower = attribute.toLowerCase();
  const near = schema.attributes.find(({ names }) =>
    names.some((name) => name.toLowerCase().replaceAll('-', '') === lower.replaceAll('-', '')),
  );
  return near === undefined ? '' : ` Did you mean "${near.name}"?`;
}

function isAllowed({ create, server }: EntityPlan, names: readonly string[]): boolean {
  const lower = new Set(names.map((name) => name.toLowerCase()));
  const classes = create?.objectClasses.flatMap((name) => server.schema.objectClass(name) ?? []) ?? [];
  if (classes.some(({ name }) => name === 'extensibleObject') || server.kind === 'active-directory') return true;
  const isOperational = names.some((name) => server.schema.attribute(name)?.isOperational === true);
  return (
    isOperational || classes.some(({ must, may }) => [...must, ...may].some((name) => lower.has(name.toLowerCase())))
  );
}
