import type { RuleConfig, SourcedRule } from './rule.js';

/** What a rule can be, and the words for it. */
const kinds = {
  constant: 'a constant',
  simple: 'a single attribute',
  list: 'a list of plain values',
  part: 'a part of a complex attribute',
  slot: 'a slot',
  records: 'a list kept as child records',
  references: 'a list of references',
} as const;

export type RuleKind = keyof typeof kinds;

const valueKinds: readonly RuleKind[] = ['simple', 'list', 'part', 'slot'];
const storedKinds: readonly RuleKind[] = [...valueKinds, 'records', 'references'];

/** Where each key of a rule has a meaning. A key that would do nothing is an error, not a surprise after go-live. */
const meaningful: Readonly<Record<keyof RuleConfig, readonly RuleKind[]>> = {
  field: storedKinds,
  constant: ['constant'],
  template: ['simple', 'part', 'slot'],
  codec: valueKinds,
  multiple: ['simple', 'list', 'part', 'slot', 'references'],
  records: ['records'],
  reference: ['part', 'records', 'references'],
  default: valueKinds,
  fallback: ['simple', 'part', 'slot'],
  fallbackOnCreate: valueKinds,
  required: storedKinds,
  unique: valueKinds,
  values: valueKinds,
  onUnknown: valueKinds,
  readOnly: storedKinds,
  writeOnly: storedKinds,
  clearOn: [...valueKinds, 'records'],
  omitted: storedKinds,
  defaultSlot: ['slot'],
};

/** Reports keys that mean nothing in a rule of this kind. */
export function checkOptions(
  source: SourcedRule,
  kind: RuleKind,
  problem: (rule: SourcedRule, at: readonly string[], message: string) => void,
): void {
  for (const key of Object.keys(source.rule) as (keyof RuleConfig)[]) {
    // A key that no rule has is the configuration check's to report.
    if (source.rule[key] === undefined || !Object.hasOwn(meaningful, key) || meaningful[key].includes(kind)) continue;
    const places = meaningful[key].map((place) => kinds[place]).join(', ');
    problem(source, [key], `"${key}" means nothing here: "${source.key}" is ${kinds[kind]}. It goes with ${places}.`);
  }
}
