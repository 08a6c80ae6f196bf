import type { Calls } from './calls.js';
import { type BlindChange, serverKey } from './changes.js';
import type { AttributeValue, Modification, RequestControl, WriteAnswer } from './directory.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { withAllValues } from './ranges.js';
import { oid } from './server-kind.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** So often a modification is sent anew with what is left of it. */
const maxTries = 5;
/** So many values are asked for one by one whether they are there; beyond, all of them are read. */
const comparedOneByOne = 20;
/** Values in one modification: requests have an upper size. */
const valuesAtOnce = 5_000;

/** Sends the changes of entries, so that adding what is there and removing what is not are successes. */
export class ChangeSender {
  private readonly plan: EntityPlan;
  private readonly calls: Calls;

  constructor(plan: EntityPlan, calls: Calls) {
    this.plan = plan;
    this.calls = calls;
  }

  /** @returns undefined when there was nothing to send */
  async send(
    dn: string,
    own: readonly Modification[],
    blind: readonly BlindChange[],
    controls: readonly RequestControl[],
    isAsserted: boolean,
  ): Promise<WriteAnswer | undefined> {
    const { entity } = this.plan;
    const write = (sent: readonly RequestControl[], modifications: readonly Modification[]): Promise<WriteAnswer> =>
      this.calls.modify(entity, dn, modifications, sent);
    let wanted = blind;
    for (let tries = 1; ; tries++) {
      const modifications = [...own, ...wanted.flatMap(blindModifications)];
      if (modifications.length === 0) return undefined;
      try {
        if (isAsserted) return await write(controls, modifications);
        return await asserted(controls, (sent) => write(sent, modifications));
      } catch (error) {
        if (tries >= maxTries || wanted.length === 0) throw error;
        if (isThereOrNot(error, wanted)) wanted = await this.narrowed(dn, wanted);
        else if (hasResultCode(error, resultCode.objectClassViolation)) wanted = this.withNobody(wanted, error);
        else throw error;
      }
    }
  }

  /** Only those to add that are not there, and those to remove that are. */
  private async narrowed(dn: string, blind: readonly BlindChange[]): Promise<readonly BlindChange[]> {
    const narrowed = await Promise.all(
      blind.map(async ({ field, add, remove }) => {
        const isThere = await this.presence(dn, field, [...add, ...remove]);
        return { field, add: add.filter((value) => !isThere(value)), remove: remove.filter(isThere) };
      }),
    );
    return narrowed.filter(({ add, remove }) => add.length + remove.length > 0);
  }

  private async presence(
    dn: string,
    field: FieldPlan,
    values: readonly AttributeValue[],
  ): Promise<(value: AttributeValue) => boolean> {
    const { entity, filter } = this.plan;
    const there = new Set<string>();
    if (values.length <= comparedOneByOne) {
      const found = await Promise.all(values.map((value) => this.compare(dn, field, value)));
      values.forEach((value, index) => {
        if (found[index] === true) there.add(serverKey(field, value));
      });
    } else {
      const entry = await this.calls.base(entity, dn, filter, [field.attribute]);
      const whole = entry === undefined ? undefined : await withAllValues(this.plan, entry, this.calls);
      for (const value of whole?.attributes.get(field.key) ?? []) there.add(serverKey(field, value));
    }
    return (value) => there.has(serverKey(field, value));
  }

  private async compare(dn: string, field: FieldPlan, value: AttributeValue): Promise<boolean> {
    try {
      return await this.calls.compare(this.plan.entity, dn, field.attribute, value);
    } catch (error) {
      if (hasResultCode(error, resultCode.noSuchAttribute)) return false;
      throw error;
    }
  }

  /** The last member of a group that has to have one was to be taken out. */
  private withNobody(blind: readonly BlindChange[], error: unknown): readonly BlindChange[] {
    const { placeholder } = this.plan;
    const isEmptied = (change: BlindChange): boolean => isMembership(change.field) && change.remove.length > 0;
    if (placeholder === undefined || !blind.some(isEmptied)) throw error;
    return blind.map((change) => (isEmptied(change) ? { ...change, add: [...change.add, placeholder] } : change));
  }
}

/**
 * OpenLDAP's overlay "unique" hands the assertion on to its own search, where it is false for all others: then the write
 * goes without, guarded by the revision just read, and by the old values and the old name in it.
 */
export async function asserted<T>(
  controls: readonly RequestControl[],
  write: (controls: readonly RequestControl[]) => Promise<T>,
): Promise<T> {
  try {
    return await write(controls);
  } catch (error) {
    const isOverlay = hasResultCode(error, resultCode.assertionFailed) && /unique_search/.test(error.diagnostic);
    if (!isOverlay) throw error;
    return write(controls.filter((control) => control.oid !== oid.assertion));
  }
}

/** Whether groups may have to have a value in the field. */
export function isMembership(field: FieldPlan): boolean {
  return ['member', 'uniquemember', 'roleoccupant'].includes(field.key);
}

function blindModifications({ field, add, remove }: BlindChange): readonly Modification[] {
  const name = field.attribute;
  return [
    ...(remove.length === 0 ? [] : [{ op: 'delete', name, values: remove } as const]),
    ...(add.length === 0 ? [] : [{ op: 'add', name, values: add } as const]),
  ];
}

/** Servers say in their own ways that a value to add is there already, or one to remove is not. */
function isThereOrNot(error: unknown, blind: readonly BlindChange[]): boolean {
  if (hasResultCode(error, resultCode.attributeOrValueExists, resultCode.noSuchAttribute)) return true;
  const isRemoved = blind.some(({ remove }) => remove.length > 0);
  // Active Directory: 68 for a member that is there, 53 for one that is not.
  if (hasResultCode(error, resultCode.entryAlreadyExists)) return true;
  return isRemoved && hasResultCode(error, resultCode.unwillingToPerform);
}

/** Changes in portions that one request can hold. */
export function inBatches(blind: readonly BlindChange[]): readonly (readonly BlindChange[])[] {
  const count = blind.reduce((sum, { add, remove }) => sum + add.length + remove.length, 0);
  if (count === 0) return [];
  if (count <= valuesAtOnce) return [blind];
  return blind.flatMap(({ field, add, remove }) => [
    ...chunks(remove).map((values) => [{ field, add: [], remove: values }]),
    ...chunks(add).map((values) => [{ field, add: values, remove: [] }]),
  ]);
}

function chunks(values: readonly AttributeValue[]): readonly (readonly AttributeValue[])[] {
  const list: (readonly AttributeValue[])[] = [];
  for (let at = 0; at < values.length; at += valuesAtOnce) list.push(values.slice(at, at + valuesAtOnce));
  return list;
}
