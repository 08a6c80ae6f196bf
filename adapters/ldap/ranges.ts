import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Calls } from './calls.js';
import type { AttributeValue, Entry } from './directory.js';
import type { EntityPlan } from './entity-plan.js';
import { revisionOf, revisionSource } from './revision.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** So often values that change while they are read are read anew. */
const maxTries = 10;

/**
 * Reads on where the server gave a part of the values only (MS-ADTS section 3.1.1.3.1.3.3: `member;range=0-1499`). The
 * parts go by the places of values, which others move when they add or remove one: so all parts have to be of one revision.
 * @returns undefined when the entry has gone
 * @throws AdapterError `unavailable` when the values changed each time
 */
export async function withAllValues(plan: EntityPlan, entry: Entry, calls: Calls): Promise<Entry | undefined> {
  let first: Entry | undefined = entry;
  for (let tries = 1; first?.unfinished !== undefined; tries++) {
    const whole = await readOn(plan, first, calls);
    if (whole !== undefined) return whole;
    if (tries >= maxTries) throw unsteady();
    first = await readPart(plan, first.dn, attributesOf(plan, first), calls);
  }
  return first;
}

/** All values of the entry's unfinished attributes; undefined when it was changed meanwhile. */
async function readOn(plan: EntityPlan, first: Entry, calls: Calls): Promise<Entry | undefined> {
  const attributes = new Map(first.attributes);
  const source = revisionSource(plan);
  const revision = revisionOf(plan, first);
  for (const [name, { next: start }] of first.unfinished ?? []) {
    const values: AttributeValue[] = [...(first.attributes.get(name) ?? [])];
    for (let next: number | undefined = start; next !== undefined; ) {
      const wanted = [`${name};range=${next}-*`, ...(source === undefined ? [] : [source])];
      const part = await readPart(plan, first.dn, wanted, calls);
      if (part === undefined || revisionOf(plan, part) !== revision) return undefined;
      const more = part.attributes.get(name) ?? [];
      for (const value of more) values.push(value);
      next = more.length === 0 ? undefined : part.unfinished?.get(name)?.next;
    }
    attributes.set(name, values);
  }
  return { dn: first.dn, attributes, controls: first.controls };
}

function attributesOf(plan: EntityPlan, { attributes }: Entry): readonly string[] {
  const source = revisionSource(plan);
  return [...new Set([...attributes.keys(), ...(source === undefined ? [] : [source.toLowerCase()])])];
}

async function readPart(
  plan: EntityPlan,
  dn: string,
  attributes: readonly string[],
  calls: Calls,
): Promise<Entry | undefined> {
  try {
    return await calls.base(plan.entity, dn, plan.filter, attributes);
  } catch (error) {
    if (hasResultCode(error, resultCode.noSuchObject)) return undefined;
    throw error;
  }
}

function unsteady(): AdapterError {
  return new AdapterError('unavailable', 'Values of an entry changed each time that they were read.', {
    applied: 'no',
    retryAfterSeconds: 1,
  });
}
