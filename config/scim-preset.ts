import type { Origin, RuleConfig, SourcedRule } from '../src/mapping/rule.js';
import { type Attribute, type ResourceType, subAttribute } from '../src/scim/schema.js';

/** The gateway issues these; `password` is left out since the managed store keeps none. */
const unmapped = new Set(['schemas', 'id', 'meta', 'password']);

/**
 * Preset `scim`: every attribute of a type to a field of the attribute's canonical path. Fields of extensions carry the
 * URN, so that no two attributes share a field.
 * @param origin where the preset is named; each rule's own origin goes on with its key
 */
export function scimPresetRules(
  type: ResourceType,
  origin: Origin = { source: 'preset scim', path: [type.name] },
): readonly SourcedRule[] {
  return type.attributes
    .filter((attribute) => !unmapped.has(attribute.path))
    .flatMap((attribute) => attributeRules(attribute, type))
    .map(([key, rule]) => ({ key, rule, origin: { source: origin.source, path: [...origin.path, key] } }));
}

type KeyedRule = readonly [key: string, rule: RuleConfig];

function attributeRules(attribute: Attribute, type: ResourceType): readonly KeyedRule[] {
  const reference = referenceRule(attribute, type);
  if (reference !== undefined) return [[attribute.path, reference]];
  const field = { field: attribute.path };
  const access = accessOf(attribute);
  if (attribute.type === 'complex') {
    if (attribute.multiValued) return [[attribute.path, { ...field, records: 'all', ...access }]];
    return attribute.subAttributes.map((sub) => [
      sub.path,
      { field: sub.path, ...(sub.multiValued && { multiple: true }), ...access, ...accessOf(sub) },
    ]);
  }
  const unique = attribute.uniqueness !== 'none' || (type.name === 'Group' && attribute.path === 'displayName');
  return [
    [
      attribute.path,
      {
        ...field,
        ...(attribute.multiValued && { multiple: true }),
        // An extension's own requirements hold only where the extension is present, which the schema check sees to.
        ...(attribute.required && !attribute.inExtension && { required: true }),
        ...(unique && { unique: true }),
        ...access,
      },
    ],
  ];
}

function accessOf(attribute: Attribute): RuleConfig {
  if (attribute.mutability === 'readOnly') return { readOnly: true };
  return attribute.mutability === 'writeOnly' || attribute.returned === 'never' ? { writeOnly: true } : {};
}

/** Attributes of RFC 7643 whose values are other resources' ids. */
function referenceRule(attribute: Attribute, type: ResourceType): RuleConfig | undefined {
  const field = attribute.path;
  const lower = attribute.name.toLowerCase();
  if (type.name === 'User' && lower === 'groups' && !attribute.inExtension) {
    return {
      field,
      readOnly: true,
      reference: { to: ['Group'], by: '$id', display: 'displayName', inverseOf: 'Group.members' },
    };
  }
  if (type.name === 'Group' && lower === 'members' && !attribute.inExtension) {
    return {
      field,
      records: { value: 'value', type: 'type' },
      reference: { to: ['User', 'Group'], by: '$id', type: 'type' },
    };
  }
  const isManager = attribute.inExtension && lower === 'manager' && subAttribute(attribute, 'value') !== undefined;
  if (isManager && attribute.schema === 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User') {
    return { field, reference: { to: ['User'], by: '$id', display: 'displayName' } };
  }
  return undefined;
}
