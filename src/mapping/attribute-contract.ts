import type { Attribute } from '../scim/schema.js';
import type { AttributePlan, Leaf, MappingPlan, Slot } from './plan.js';

/** One attribute as an identity provider's administrator sees it: what may be sent, and where it goes. */
export interface ContractRow {
  /** `emails[type eq "work"].value` */
  readonly path: string;
  readonly type: string;
  readonly access: 'read and write' | 'read only' | 'write only';
  readonly isRequired: boolean;
  readonly isUnique: boolean;
  readonly isMultiValued: boolean;
  /** Allowed values, defaults, what references point to. */
  readonly notes: readonly string[];
  /** The backend's field, or the constant. */
  readonly field: string;
  /** The attribute that the path ends in. */
  readonly attribute: Attribute;
  /** `type eq "work"` as sub-attribute and value, for slots. */
  readonly constants: readonly { readonly name: string; readonly value: string | number | boolean }[];
}

/** Every mapped attribute of a type, in the order of its rules. */
export function attributeContract(plan: MappingPlan): readonly ContractRow[] {
  const constants = plan.constants.map(
    ({ attribute, value }): ContractRow => ({
      path: attribute.path,
      type: attribute.type,
      access: 'read only',
      isRequired: false,
      isUnique: false,
      isMultiValued: attribute.multiValued,
      notes: [`always ${JSON.stringify(value)}`],
      field: '(constant)',
      attribute,
      constants: [],
    }),
  );
  return [...plan.attributes.flatMap(rowsOf), ...constants];
}

function rowsOf(plan: AttributePlan): readonly ContractRow[] {
  switch (plan.kind) {
    case 'simple':
      return [leafRow(plan.leaf, plan.attribute.path, plan.attribute.multiValued)];
    case 'complex':
      return plan.leaves.map((leaf) => leafRow(leaf, leaf.attribute.path, false));
    case 'slots':
      return plan.slots.flatMap((slot) => slot.leaves.map((leaf) => slotRow(slot, leaf)));
    case 'records':
      return plan.leaves
        .filter((leaf) => plan.reference === undefined || leaf.reference !== undefined)
        .map((leaf) => ({
          ...leafRow(leaf, leaf.attribute.path, true),
          access: accessOf(plan),
          field: `${plan.field}.${leaf.field}`,
        }));
    case 'references':
      return [
        {
          path: `${plan.attribute.path}.value`,
          type: 'string',
          access: accessOf(plan),
          isRequired: plan.required,
          isUnique: false,
          isMultiValued: true,
          notes: [`id of ${plan.reference.targets.join(' or ')}`],
          field: plan.field,
          attribute: plan.attribute.subAttributes.find((sub) => sub.name === 'value') ?? plan.attribute,
          constants: [],
        },
      ];
  }
}

function accessOf({ read, written }: { readonly read: boolean; readonly written: boolean }): ContractRow['access'] {
  return read && written ? 'read and write' : read ? 'read only' : 'write only';
}

function leafRow(leaf: Leaf, path: string, isMultiValued: boolean): ContractRow {
  const notes = [
    ...(leaf.reference === undefined ? [] : [`id of ${leaf.reference.targets.join(' or ')}`]),
    ...(leaf.allowed === undefined ? [] : [`one of ${leaf.allowed.join(', ')}`]),
    ...(leaf.defaultValue === undefined ? [] : [`${JSON.stringify(leaf.defaultValue)} when absent on create`]),
    ...(leaf.fallbackOnCreate === undefined ? [] : ['made from other attributes when absent on create']),
    ...(leaf.clearOn.size === 0
      ? []
      : [`${[...leaf.clearOn].map((text) => JSON.stringify(text)).join(', ')} clears it`]),
  ];
  return {
    path,
    type: leaf.attribute.type,
    access: accessOf(leaf),
    isRequired: leaf.required || (leaf.attribute.required && leaf.attribute.parent === undefined),
    isUnique: leaf.unique,
    isMultiValued,
    notes,
    field: leaf.field,
    attribute: leaf.attribute,
    constants: [],
  };
}

function slotRow(slot: Slot, leaf: Leaf): ContractRow {
  return {
    ...leafRow(leaf, `${slot.key}.${leaf.attribute.name}`, slot.multiple),
    constants: slot.constants.map(({ attribute, value }) => ({ name: attribute.name, value })),
  };
}
