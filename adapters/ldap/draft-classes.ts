import type { Survey } from './draft-survey.js';
import type { DirectorySchema, ObjectClass } from './schema.js';

/** What new entries are made of. */
export interface Classes {
  /** The structural class first: it also says which entries belong to the entity. */
  readonly names: readonly string[];
  /** Attributes that they demand and permit, in lower case. */
  readonly must: ReadonlySet<string>;
  readonly may: ReadonlySet<string>;
  /** How many of those looked at have the structural class. */
  readonly count: number;
}

/**
 * The structural class that most entries have, and the auxiliary ones that nearly all have, as far as a new entry can
 * have what they demand; else the given class.
 * @param filled attributes that every new entry gets, in lower case
 * @param needed the attribute without which there is no entry
 */
export function classesOf(
  { classSets, total }: Survey,
  schema: DirectorySchema,
  usual: string,
  filled: ReadonlySet<string>,
  needed: string,
): Classes | undefined {
  const counts = new Map<ObjectClass, number>();
  for (const { classes, count } of classSets) {
    for (const own of leavesOf(classes, schema)) counts.set(own, (counts.get(own) ?? 0) + count);
  }
  const canBeMade = ({ must }: ObjectClass): boolean => must.every((name) => filled.has(name.toLowerCase()));
  const auxiliaries = [...counts].filter(
    ([own, count]) => own.kind === 'auxiliary' && count >= total * 0.9 && canBeMade(own),
  );
  const structural = [...counts].filter(([own]) => own.kind === 'structural').sort(([, one], [, other]) => other - one);
  const extra = auxiliaries.map(([own]) => own);
  for (const [own, count] of structural) {
    const classes = toClasses([own, ...extra], count);
    if (canBeMade(own) && (classes.must.has(needed) || classes.may.has(needed))) return classes;
  }
  const fallback = schema.objectClass(usual);
  return fallback === undefined ? undefined : toClasses([fallback], 0);
}

/** The classes of one entry that are no superior of another of them. */
function leavesOf(names: readonly string[], schema: DirectorySchema): readonly ObjectClass[] {
  const classes = names.flatMap((name) => schema.objectClass(name) ?? []);
  const superiors = new Set(classes.flatMap((own) => own.superiors.map((name) => schema.objectClass(name))));
  return classes.filter((own) => own.kind !== 'abstract' && !superiors.has(own));
}

function toClasses(classes: readonly ObjectClass[], count: number): Classes {
  const all = (names: (own: ObjectClass) => readonly string[]): ReadonlySet<string> =>
    new Set(classes.flatMap((own) => names(own).map((name) => name.toLowerCase())));
  return { names: classes.map(({ name }) => name), must: all(({ must }) => must), may: all(({ may }) => may), count };
}
