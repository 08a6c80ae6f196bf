type Entities = Readonly<Record<string, { readonly fields?: object }>>;

/**
 * What a section names itself: entities, and the fields that the mapping may use. Undefined where it names none, or is not
 * whole, which its schema says.
 */
export function declaredFields(entities: Entities | undefined): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  if (entities === undefined) return undefined;
  const declared = new Map<string, ReadonlySet<string>>();
  for (const [name, { fields }] of Object.entries(entities)) {
    if (fields === undefined) return undefined;
    declared.set(name, new Set(Object.keys(fields)));
  }
  return declared;
}
