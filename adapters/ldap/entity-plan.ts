import type { EntityUse, FieldUse } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { depthBelow, resolveDn } from './dn.js';
import { type DnTemplate, parseDnTemplate, parseTemplate, type Template } from './dn-template.js';
import type { EntityConfig } from './entity-config.js';
import { parseFilter } from './filter-parser.js';
import { everything, type LdapFilter } from './ldap-filter.js';
import type { AttributeType } from './schema.js';
import type { ServerProfile } from './server-kind.js';
import type { ValueForm, ValueKind } from './values.js';

/** A field and the attribute that it is. */
export interface FieldPlan extends ValueKind {
  readonly name: string;
  readonly use: FieldUse;
  /** In the schema's spelling. */
  readonly attribute: string;
  /** Lower case: the key in entries. */
  readonly key: string;
  /** Absent when the server's schema has no such attribute. */
  readonly type: AttributeType | undefined;
  readonly isSingle: boolean;
  readonly isWritable: boolean;
  /** Entities whose entries the DNs in this field name. */
  readonly targets: readonly string[];
  /** Written over a way of its own, and never read. */
  readonly password: 'unicodePwd' | 'passwordModify' | undefined;
  /** The other end of a reference, found by a search in that entity; `by` is the field here that it holds, or `$id`. */
  readonly searchedIn: { readonly entity: string; readonly field: string; readonly by: string } | undefined;
}

export interface CreatePlan {
  readonly dn: DnTemplate;
  readonly objectClasses: readonly string[];
  /** Templates by attribute, for what the record leaves out. */
  readonly attributes: ReadonlyMap<string, readonly Template[]>;
}

/** Everything about one entity that does not depend on a request. */
export interface EntityPlan {
  readonly entity: string;
  readonly use: EntityUse;
  readonly base: string;
  readonly scope: 'sub' | 'one';
  readonly filter: LdapFilter;
  /** The attribute that holds the id. */
  readonly id: FieldPlan;
  readonly idPrefix: string;
  readonly fields: ReadonlyMap<string, FieldPlan>;
  readonly create: CreatePlan | undefined;
  /** The value that stands for nobody in groups that have to have a member; undefined where it is not wanted. */
  readonly placeholder: string | undefined;
  readonly deletesSubtree: boolean;
  readonly server: ServerProfile;
  readonly times: { readonly created: string; readonly modified: string };
}

export type EntityPlans = ReadonlyMap<string, EntityPlan>;

const syntax = {
  boolean: '1.3.6.1.4.1.1466.115.121.1.7',
  integer: '1.3.6.1.4.1.1466.115.121.1.27',
  largeInteger: '1.2.840.113556.1.4.906',
  generalizedTime: '1.3.6.1.4.1.1466.115.121.1.24',
} as const;

export interface PlanInput {
  readonly entities: Readonly<Record<string, EntityConfig>>;
  readonly base: string | undefined;
  readonly uses: readonly EntityUse[];
}

/**
 * @throws AdapterError `unsupported` for a configuration that can never work
 */
export function planEntities({ entities, base, uses }: PlanInput, server: ServerProfile): EntityPlans {
  return new Map(
    uses.flatMap((use) => {
      const config = entities[use.entity];
      return config === undefined ? [] : [[use.entity, planEntity(use, config, base, server, uses)] as const];
    }),
  );
}

function planEntity(
  use: EntityUse,
  config: EntityConfig,
  base: string | undefined,
  server: ServerProfile,
  uses: readonly EntityUse[],
): EntityPlan {
  const root = base ?? server.defaultBase;
  const idAttribute = use.id !== undefined && !use.id.startsWith('$') ? attributeName(use.id, config) : config.id;
  const fields = use.fields.map((field) => planField(field, config, server, uses));
  return {
    entity: use.entity,
    use,
    base: resolveDn(config.base, root),
    scope: config.scope ?? 'sub',
    filter: entityFilter(config),
    id: planId(idAttribute ?? defaultId(server), server),
    idPrefix: use.idPrefix ?? '',
    fields: new Map(fields.map((field) => [field.name, field])),
    create: planCreate(config, root),
    placeholder: placeholderOf(config, server),
    deletesSubtree: config.deleteSubtree === true && server.features.treeDelete,
    server,
    times:
      server.kind === 'active-directory'
        ? { created: 'whenCreated', modified: 'whenChanged' }
        : { created: 'createTimestamp', modified: 'modifyTimestamp' },
  };
}

function entityFilter(config: EntityConfig): LdapFilter {
  if (config.filter !== undefined) return parseFilter(config.filter);
  const classes = config.create?.objectClasses ?? [];
  const own = classes.find((name) => name.toLowerCase() !== 'top');
  return own === undefined ? everything : { kind: 'equality', attribute: 'objectClass', value: own };
}

function placeholderOf(config: EntityConfig, server: ServerProfile): string | undefined {
  const wanted = config.emptyGroups ?? 'placeholder';
  if (server.features.emptyGroups || wanted === 'reject') return undefined;
  return wanted === 'placeholder' ? '' : wanted;
}

function planCreate(config: EntityConfig, root: string | undefined): CreatePlan | undefined {
  const { create } = config;
  if (create === undefined) return undefined;
  const attributes = Object.entries(create.attributes ?? {}).map(([name, templates]) => {
    const list = typeof templates === 'string' ? [templates] : templates;
    return [name, list.map(parseTemplate)] as const;
  });
  return {
    dn: parseDnTemplate(resolveDn(create.dn, root)),
    objectClasses: create.objectClasses,
    attributes: new Map(attributes),
  };
}

function defaultId(server: ServerProfile): string {
  if (server.kind === 'active-directory') return 'objectGUID';
  return server.kind === '389-ds' ? 'nsUniqueId' : 'entryUUID';
}

function planId(attribute: string, server: ServerProfile): FieldPlan {
  const use: FieldUse = {
    name: '$id',
    type: 'string',
    multiple: false,
    comparison: 'exact',
    unique: true,
    read: true,
    written: false,
  };
  const type = server.schema.attribute(attribute);
  return {
    name: '$id',
    use,
    attribute: type?.name ?? attribute,
    key: (type?.name ?? attribute).toLowerCase(),
    type,
    form: attribute.toLowerCase() === 'objectguid' ? 'guid' : type?.isBinary === true ? 'base64' : 'text',
    isWhole: false,
    isSingle: true,
    isWritable: false,
    targets: [],
    password: undefined,
    searchedIn: undefined,
  };
}

function attributeName(field: string, config: EntityConfig): string {
  const own = config.fields?.[field];
  return (typeof own === 'string' ? own : own?.attribute) ?? field;
}

function planField(use: FieldUse, config: EntityConfig, server: ServerProfile, uses: readonly EntityUse[]): FieldPlan {
  const own = config.fields?.[use.name];
  const wanted = attributeName(use.name, config);
  const isDnField = wanted.toLowerCase() === 'dn';
  const type = isDnField ? undefined : server.schema.attribute(wanted);
  const attribute = isDnField ? 'dn' : (type?.name ?? wanted);
  const targets = (use.reference?.by === '$id' ? use.reference.targets : []).filter((target) =>
    uses.some(({ entity }) => entity === target),
  );
  const { inverseOf } = use;
  const isSearched = inverseOf !== undefined && (config.inverse === 'search' || type === undefined);
  const password = passwordOf(attribute, server);
  const isReadOnly = typeof own === 'object' && own.readOnly === true;
  return {
    name: use.name,
    use,
    attribute,
    key: attribute.toLowerCase(),
    type,
    form: password === undefined ? formOf(use, attribute, type, targets) : 'text',
    isWhole: server.kind === 'active-directory',
    isSingle: type?.isSingleValued ?? !use.multiple,
    isWritable: use.written && !isDnField && !isReadOnly && inverseOf === undefined && type?.isReadOnly !== true,
    targets,
    password,
    searchedIn: isSearched ? { ...inverseOf, by: otherEnd(inverseOf, uses)?.reference?.by ?? '$id' } : undefined,
  };
}

function otherEnd({ entity, field }: NonNullable<FieldUse['inverseOf']>, uses: readonly EntityUse[]) {
  return uses.find((use) => use.entity === entity)?.fields.find(({ name }) => name === field);
}

function passwordOf(attribute: string, server: ServerProfile): FieldPlan['password'] {
  const lower = attribute.toLowerCase();
  if (lower === 'unicodepwd') return 'unicodePwd';
  if (lower !== 'userpassword') return undefined;
  return server.kind === 'active-directory' ? 'unicodePwd' : 'passwordModify';
}

function formOf(
  use: FieldUse,
  attribute: string,
  type: AttributeType | undefined,
  targets: readonly string[],
): ValueForm {
  if (attribute === 'dn') return 'dn';
  if (targets.length > 0) return 'reference';
  if (attribute.toLowerCase() === 'objectguid') return 'guid';
  switch (use.type) {
    case 'bytes':
      return 'bytes';
    case 'instant':
      return 'time';
    case 'boolean':
      return 'boolean';
    case 'number':
      return 'integer';
    default:
      break;
  }
  if (type?.isBinary === true) return 'base64';
  if (type?.isDn === true) return 'dn';
  return 'text';
}

/** Whether the syntax can hold what the mapping takes the field for. Unknown syntaxes count as text. */
export function fitsSyntax(field: FieldPlan): boolean {
  const own = field.type?.syntax;
  switch (field.form) {
    case 'boolean':
      return own === syntax.boolean || own === undefined;
    case 'time':
      return own === syntax.generalizedTime || own === undefined;
    case 'integer':
      return own !== syntax.boolean && own !== syntax.generalizedTime && field.type?.isBinary !== true;
    case 'bytes':
      return field.type?.isBinary !== false;
    default:
      return true;
  }
}

export function fieldOf(plan: EntityPlan, name: string): FieldPlan {
  const field = plan.fields.get(name);
  if (field === undefined) {
    throw new AdapterError('unsupported', `The mapping declares no field "${name}" in "${plan.entity}".`, {
      field: name,
    });
  }
  return field;
}

/** References to any number of entries. */
export function isLarge({ use, type }: FieldPlan): boolean {
  return use.multiple && use.reference !== undefined && type?.isSingleValued !== true;
}

/** Whether a DN lies where the entity's entries are. */
export function isInside(plan: EntityPlan, dn: string): boolean {
  const depth = depthBelow(dn, plan.base);
  return plan.scope === 'one' ? depth === 1 : depth !== undefined;
}
