/** Searching records by who refers to them, where another backend knows that. */
import {
  type Adapter,
  type BackendRecord,
  type Condition,
  type OperationContext,
  parseFlagField,
  type ReadOptions,
  type Scalar,
} from '../backend/adapter.js';
import { compileCondition } from '../backend/condition.js';
import { idOf } from '../backend/record.js';
import { always, pathsIn } from '../scim/filter.js';
import { heldKeys, type InverseSource } from './inverse-source.js';

/** So many of a holder's references are looked up when it is searched by; of one with more, all records are looked at. */
const mostKeys = 10_000;
function mentions(condition: Condition, sources: readonly InverseSource[]): boolean {
  if ('operands' in condition) return condition.operands.some((operand) => mentions(operand, sources));
  if ('operand' in condition) return mentions(condition.operand, sources);
  return sources.some(({ inverse }) => inverse.field === condition.path);
}

/** Without the comparisons that only the other backend could answer: selects more, and the rest is evaluated here. */
export function widened<Query extends { readonly filter?: Condition }>(
  query: Query,
  sources: readonly InverseSource[],
): Query {
  if (query.filter === undefined || !mentions(query.filter, sources)) return query;
  return { ...query, filter: widen(query.filter, sources) };
}

function widen(condition: Condition, sources: readonly InverseSource[]): Condition {
  if (!mentions(condition, sources)) return condition;
  if (!('operands' in condition)) return always;
  return { kind: condition.kind, operands: condition.operands.map((operand) => widen(operand, sources)) };
}

type ScanQuery = Parameters<Adapter['scan']>[0];

interface Searched {
  readonly adapter: Adapter;
  readonly entity: string;
  readonly sources: readonly InverseSource[];
  readonly inner: <Options extends ReadOptions>(options: Options) => Options;
}

/**
 * The records that a holder refers to, where that is what the query asks for: looked up by what the holder holds, which is
 * one round trip, and held against the rest of the condition here.
 * @returns undefined where the query asks for something else, or the adapter's own order
 */
export async function selectedRecords(
  query: ScanQuery,
  { adapter, entity, sources, inner }: Searched,
  context: OperationContext,
): Promise<readonly BackendRecord[] | undefined> {
  const { filter, sort, after, fields } = query;
  if (filter === undefined || sort !== undefined || after !== undefined) return undefined;
  const terms = filter.kind === 'and' ? filter.operands : [filter];
  const chosen = terms.find((term) => term.kind === 'compare' && mentions(term, sources));
  const source = sources.find(({ inverse }) => chosen?.kind === 'compare' && inverse.field === chosen.path);
  if (chosen?.kind !== 'compare' || chosen.value === null || source === undefined) return undefined;
  const rest: Condition = {
    kind: 'and',
    operands: terms.filter((term) => term !== chosen).map((term) => widen(term, sources)),
  };
  const compared = pathsIn(rest);
  if (compared.some((path) => parseFlagField(path) !== undefined)) return undefined;
  const keys = await keysOfHolders(source, chosen.value, context);
  if (keys.length > mostKeys) return undefined;
  if (keys.length === 0) return [];
  const wanted = inner({ fields: [...new Set([...fields, ...compared])] });
  const found = await adapter.lookup(entity, { ...wanted, by: source.inverse.ownKey, values: keys }, context);
  const capabilities = adapter.capabilities.entities[entity]?.fields ?? {};
  const meets = compileCondition(rest, (field, child) => {
    const capability = child === undefined ? capabilities[field] : capabilities[field]?.children?.[child];
    return capability?.comparison ?? 'exact';
  });
  return found.filter(meets).sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
}

async function keysOfHolders(
  { inverse, adapter, entity }: InverseSource,
  value: Scalar,
  context: OperationContext,
): Promise<readonly Scalar[]> {
  const query = { by: inverse.gives, values: [value], fields: [inverse.holderField] };
  const holders = await adapter.lookup(entity, query, context);
  return [...new Set(holders.flatMap((holder) => heldKeys(holder, inverse)))];
}
