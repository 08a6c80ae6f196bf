import { resolvePath } from '../scim/attribute-path.js';
import type { LeafContext } from './compile-leaf.js';
import type { ReferencePlan } from './plan.js';
import type { ReferenceConfig, SourcedRule } from './rule.js';

/** Compiles a rule's `reference`. */
export function compileReference(source: SourcedRule, context: LeafContext): ReferencePlan | undefined {
  const { reference } = source.rule;
  if (reference === undefined) return undefined;
  const targets = knownTargets(reference, source, context);
  const by = Object.fromEntries(
    targets.map((name) => [name, reference.by ?? context.targets.get(name)?.lookupField ?? '$id']),
  );
  const fields = new Set(Object.values(by));
  if (fields.size > 1) {
    const each = targets.map((name) => `${name}: ${by[name]}`).join(', ');
    context.problem(
      source,
      ['reference', 'to'],
      `One field cannot hold values of different fields (${each}). Say which with "by", or give the types the same "lookupField".`,
    );
  }
  const byId = [...fields].every((field) => field === '$id');
  if (reference.unknownReference === 'keep' && !byId) {
    context.problem(
      source,
      ['reference', 'unknownReference'],
      '"keep" needs values that are ids (by: $id): an id that names nothing has no other field to keep. Use drop or reject.',
    );
  }
  checkDisplay(reference, targets, source, context);
  return {
    targets,
    by,
    display: reference.display,
    unknown: reference.unknownReference ?? (byId ? 'keepWherePossible' : 'drop'),
    typeField: reference.type,
  };
}

function knownTargets(
  reference: ReferenceConfig,
  source: SourcedRule,
  { targets, problem }: LeafContext,
): readonly string[] {
  return reference.to.filter((name, index) => {
    if (targets.has(name)) return true;
    const known = [...targets.keys()].join(', ');
    problem(source, ['reference', 'to', index], `This gateway has no resource type "${name}"; it has ${known}.`);
    return false;
  });
}

/** `display` names a simple attribute of at least one target type; resources of others are shown without it. */
function checkDisplay(
  { display }: ReferenceConfig,
  targets: readonly string[],
  source: SourcedRule,
  context: LeafContext,
): void {
  if (display === undefined || targets.length === 0) return;
  const found = targets.flatMap((name) => {
    const type = context.targets.get(name)?.type;
    const resolution = type === undefined ? undefined : resolvePath(type, display);
    return resolution?.kind === 'attribute' ? [resolution.path] : [];
  });
  const report = (message: string): void => context.problem(source, ['reference', 'display'], message);
  if (found.length === 0) report(`"${display}" names no attribute of ${targets.join(' or ')}.`);
  const complex = found.find(({ attribute, sub }) => (sub ?? attribute).type === 'complex');
  if (complex !== undefined) {
    const { path, subAttributes } = complex.attribute;
    report(`"${path}" is complex; name a part of it, such as ${path}.${subAttributes[0]?.name}.`);
  }
}
