import { describe, expect, it } from 'vitest';
import type { DraftEntry } from '../../src/backend/draft.js';
import { byPreset, type DraftedResource } from '../../src/cli/draft-preset.js';
import type { RuleConfig, SourcedRule } from '../../src/mapping/rule.js';

const sourced = (rules: Readonly<Record<string, RuleConfig>>): readonly SourcedRule[] =>
  Object.entries(rules).map(([key, rule]) => ({ key, rule, origin: { source: 'preset', path: [] } }));

const preset = sourced({
  username: { field: 'uid', required: true, unique: true },
  workEmail: { field: 'mail' },
  title: { field: 'title' },
});
const mapping: readonly DraftEntry[] = [
  { key: 'userName', value: { field: 'uid', unique: true, required: true } },
  { key: 'externalId', value: 'carLicense' },
  { key: 'emails[type eq "work"].value', value: 'rfc822Mailbox' },
  { key: 'nickName', value: 'gecos', isOffer: true },
];
const draftOf = (more: Partial<DraftedResource>): DraftedResource => ({
  type: 'User',
  entity: 'people',
  mapping,
  preset: 'openldap',
  holds: () => true,
  ...more,
});

describe('a drafted mapping by its preset', () => {
  it('says only what differs, however a path is written, and keeps what is offered', () => {
    const { use, mapping: written } = byPreset(draftOf({}), preset);
    expect(use).toBe('openldap');
    expect(written.map(({ key }) => key)).toEqual(['externalId', 'emails[type eq "work"].value', 'nickName']);
  });

  it('is written in full where the preset uses a field that records cannot have', () => {
    const written = byPreset(draftOf({ holds: (field) => field !== 'title' }), preset);
    expect(written).toEqual({ type: 'User', entity: 'people', mapping });
  });

  it('is written in full without a preset', () => {
    const { preset: _, ...none } = draftOf({});
    expect(byPreset(none, preset)).toEqual({ type: 'User', entity: 'people', mapping });
    expect(byPreset(draftOf({}), undefined).use).toBeUndefined();
  });
});
