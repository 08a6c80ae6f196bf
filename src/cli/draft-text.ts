import { stringify } from 'yaml';
import type { DraftEntry, DraftSection, DraftValue } from '../backend/draft.js';

/** Entries as YAML, each value on the line of its key, with the comments that a person wants to read. */
export function draftText(entries: readonly DraftEntry[], depth = 0): string {
  return entries.map((entry) => entryText(entry, depth)).join('');
}

function entryText({ key, value, note, above = [], isOffer = false }: DraftEntry, depth: number): string {
  const behind = note === undefined ? '' : ` # ${note}`;
  const own = isSection(value)
    ? `${keyText(key)}:${behind}\n${draftText(value.entries, 1)}`
    : `${keyText(key)}: ${flowText(value)}${behind}\n`;
  const offered = isOffer ? own.replaceAll(/^/gm, '# ').replace(/# $/, '') : own;
  const lines = above.map((line) => `# ${line}\n`).join('') + offered;
  return lines.replaceAll(/^(?=.)/gm, '  '.repeat(depth));
}

function isSection(value: DraftEntry['value']): value is DraftSection {
  return typeof value === 'object' && Object.hasOwn(value, 'entries'); // Lists have a method of that name.
}

const style = { lineWidth: 0, singleQuote: true } as const;

function keyText(key: string): string {
  return stringify({ [key]: 0 }, style).slice(0, -': 0\n'.length);
}

function flowText(value: DraftValue): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value).map(([key, member]) => `${keyText(key)}: ${flowText(member as DraftValue)}`);
    return `{ ${members.join(', ')} }`;
  }
  // Quoted as inside of brackets, which is right outside of them, too.
  return stringify([value], { ...style, collectionStyle: 'flow', flowCollectionPadding: false })
    .trimEnd()
    .slice(1, -1);
}
