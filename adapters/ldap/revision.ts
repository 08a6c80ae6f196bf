import { createHash } from 'node:crypto';
import type { Entry } from './directory.js';
import type { EntityPlan } from './entity-plan.js';

/** The attribute whose value changes with every change of an entry; undefined where the server has none. */
export function revisionSource(plan: EntityPlan): string | undefined {
  const { kind, schema, rootDse } = plan.server;
  switch (kind) {
    case 'active-directory':
      return 'uSNChanged';
    case '389-ds':
      // Only with the USN plugin, which the root DSE tells: modifyTimestamp counts seconds.
      return [...rootDse.keys()].some((name) => name.startsWith('lastusn')) ? 'entryusn' : undefined;
    default:
      return schema.attribute('entryCSN') === undefined ? undefined : 'entryCSN';
  }
}

/** Active Directory counts changes on each server: a revision of another one says nothing here. */
export function revisionOf(plan: EntityPlan, entry: Entry): string | undefined {
  const source = revisionSource(plan);
  const value = source === undefined ? undefined : entry.attributes.get(source.toLowerCase())?.[0];
  if (value === undefined) return undefined;
  return plan.server.kind === 'active-directory' ? `${serverMark(plan)}:${String(value)}` : String(value);
}

function serverMark(plan: EntityPlan): string {
  return createHash('sha256')
    .update(plan.server.serverName ?? '')
    .digest('base64url')
    .slice(0, 8);
}
