import type { EntityPlan } from './entity-plan.js';
import type { RefusalContext } from './exchange.js';
import { printPointer } from './pointer.js';
import { textsIn, type Value } from './values.js';

/** What refusals of a write of this entity are read with. */
export function refusalContext(plan: EntityPlan, values: Iterable<Value | readonly Value[]>): RefusalContext {
  return {
    uniqueFields: plan.uniqueFields,
    sent: textsIn(values as Iterable<Value>),
    fieldAt: (place) => fieldAt(plan, place),
  };
}

/** The field at a place that a target names: by JSON Pointer, with dots, or by the last name alone. */
function fieldAt({ fields }: EntityPlan, place: string): string | undefined {
  const path = place.startsWith('/') ? place : `/${place.replaceAll('.', '/')}`;
  const own = [...fields.values()].flatMap(({ name, pointer }) =>
    pointer === undefined ? [] : [{ name, text: printPointer(pointer), last: pointer.at(-1) }],
  );
  const inside = own.filter(({ text }) => path === text || path.startsWith(`${text}/`));
  const nearest = inside.sort((a, b) => b.text.length - a.text.length)[0];
  if (nearest !== undefined) return nearest.name;
  const last = path.slice(path.lastIndexOf('/') + 1);
  const named = own.filter((field) => field.last === last);
  if (named.length === 1) return named[0]?.name;
  return fields.has(last) ? last : undefined;
}
