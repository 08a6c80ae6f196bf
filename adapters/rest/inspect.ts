import type { Inspection, InspectionProblem } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { capabilitiesOf } from './capabilities.js';
import { type Document, idIn, revisionIn } from './document.js';
import type { EntityPlan, EntityPlans } from './entity-plan.js';
import type { Call, Parameter } from './exchange.js';
import type { FieldPlan } from './field-plan.js';
import { isObject, type Json } from './json.js';
import { askPage, type Page } from './page.js';
import { printPointer, valueAt } from './pointer.js';
import { readDocument } from './read.js';
import { decodeElement } from './values.js';

/** Fewer records than these say nothing about a field that none of them has. */
const tellingSample = 5;

/** Looks at a page of each entity and at one record, and holds them against the configuration. */
export async function inspectEntities(plans: EntityPlans, call: Call): Promise<Inspection> {
  const problems: InspectionProblem[] = [];
  for (const plan of plans.values()) problems.push(...declaredProblems(plan), ...(await foundProblems(plan, call)));
  const entities = [...plans.values()].map((plan) => ({
    entity: plan.entity,
    fields: [...plan.fields.values()].map(({ name, type, use, isWritable }) => ({
      name,
      type,
      multiple: use.multiple,
      writable: isWritable,
    })),
  }));
  return { entities, problems };
}

type Severity = InspectionProblem['severity'];

function problemIn(plan: EntityPlan, severity: Severity, path: readonly (string | number)[], message: string) {
  return { severity, configPath: ['entities', plan.entity, ...path], message };
}

/** What the configuration leaves open. */
function declaredProblems(plan: EntityPlan): readonly InspectionProblem[] {
  const problems: InspectionProblem[] = [];
  const { fields } = capabilitiesOf(plan);
  for (const name of plan.uniqueFields) {
    if (fields[name]?.operators.eq !== undefined) continue;
    const message = `The target has no filter for "${name}", by which identity providers look before every create: all pages are read each time.`;
    problems.push(problemIn(plan, 'warning', ['search'], message));
  }
  if (plan.uniqueFields.length > 0 && !plan.enforcesUnique) {
    const message =
      'It is not declared with `unique` that the target refuses a second record with the same value: the gateway looks before it creates, but of two creates at the same moment each makes one.';
    problems.push(problemIn(plan, 'warning', [], message));
  }
  for (const field of plan.fields.values()) {
    const { calls, name, isWritable } = field;
    if (calls === undefined || !isWritable) continue;
    if (calls.add === undefined || calls.remove === undefined) {
      const message = `Values of "${name}" can be ${calls.add === undefined ? 'removed and not added' : 'added and not removed'}.`;
      problems.push(problemIn(plan, 'error', ['fields', name], message));
    }
  }
  return problems;
}

async function foundProblems(plan: EntityPlan, call: Call): Promise<readonly InspectionProblem[]> {
  let page: Page;
  try {
    page = await firstPage(plan, call);
  } catch (error) {
    if (!(error instanceof AdapterError) || error.kind !== 'unsupported') throw error;
    return [problemIn(plan, 'error', ['search'], error.message)];
  }
  const problems = [...listProblems(plan, page), ...fieldProblems(plan, page.items)];
  const id = page.items.map((item) => idIn(plan, item)).find((own) => own !== undefined);
  if (id === undefined) return problems;
  const document = await readDocument(plan, id, [...plan.fields.keys()], call);
  return [...problems, ...recordProblems(plan, document)];
}

function firstPage({ listing }: EntityPlan, call: Call): Promise<Page> {
  const { paging, size } = listing;
  const parameters: Parameter[] = [];
  if (paging.kind === 'page' || paging.kind === 'offset') parameters.push([paging.parameter, String(paging.first)]);
  if (paging.sizeParam !== undefined) parameters.push([paging.sizeParam, String(Math.min(size.max, 100))]);
  return askPage({ listing, values: {}, parameters: [] }, parameters, call);
}

function listProblems(plan: EntityPlan, { items, total }: Page): readonly InspectionProblem[] {
  const problems: InspectionProblem[] = [];
  const { listing } = plan;
  if (items.some((item) => idIn(plan, item) === undefined)) {
    problems.push(problemIn(plan, 'error', ['id'], `Listed records have no id at "${printPointer(plan.id)}".`));
  }
  if (listing.total !== undefined && total === undefined) {
    const message = 'The answer does not say how many records there are where "total" says it does.';
    problems.push(problemIn(plan, 'error', ['search', 'paging', 'total'], message));
  }
  if (listing.paging.kind === 'none' && items.length >= 100) {
    const message = `One answer gave ${items.length} records; if that was a first page, "paging" has to say how the next one is asked for.`;
    problems.push(problemIn(plan, 'warning', ['search'], message));
  }
  return problems;
}

function fieldProblems(plan: EntityPlan, items: readonly Json[]): readonly InspectionProblem[] {
  const shown = [...plan.fields.values()].filter(({ name }) => plan.shows === undefined || plan.shows.has(name));
  return shown.flatMap((field): readonly InspectionProblem[] => {
    const { pointer, name } = field;
    if (pointer === undefined || !field.use.read) return [];
    const values = items.map((item) => valueAt(item, pointer)).filter((value) => value !== undefined && value !== null);
    const at = ['fields', name];
    if (values.length === 0) {
      if (items.length < tellingSample) return [];
      const message = `None of ${items.length} records has anything at "${printPointer(pointer)}".`;
      return [problemIn(plan, 'warning', at, message)];
    }
    const isWrong = values.some((value) => !isReadable(field, value as Json));
    return isWrong
      ? [problemIn(plan, 'error', at, `"${printPointer(pointer)}" does not hold what it is mapped as (${field.type}).`)]
      : [];
  });
}

function isReadable(field: FieldPlan, json: Json): boolean {
  const elements = Array.isArray(json) ? (json as readonly Json[]) : [json];
  if (Array.isArray(json) && !field.use.multiple && elements.length > 1) return false;
  return elements.every(
    (element) => decodeElement(field, element) !== undefined || (field.type === 'records' && isObject(element)),
  );
}

function recordProblems(plan: EntityPlan, document: Document | undefined): readonly InspectionProblem[] {
  if (document === undefined) {
    return [problemIn(plan, 'error', ['get'], 'A record that is listed is not found by its id.')];
  }
  if ((plan.revisionHeader ?? plan.revisionPointer) === undefined || revisionIn(plan, document) !== undefined)
    return [];
  return [problemIn(plan, 'error', ['revision'], 'A record that was read has no revision where it should be.')];
}
