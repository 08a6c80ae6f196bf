import type { TokenRecord } from '../state/state.js';

const dayMs = 86_400_000;

/** Times are UTC, so that everybody reads the same. */
export function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function toIso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

/** `replaced`: still valid, but another one has the label. */
export function tokenState(record: TokenRecord, nowMs: number): 'valid' | 'replaced' | 'expired' | 'revoked' {
  if (record.revokedAtMs !== undefined) return 'revoked';
  if (nowMs >= record.expiresAtMs) return 'expired';
  return record.replacedAtMs === undefined ? 'valid' : 'replaced';
}

export function toJson(record: TokenRecord, nowMs: number): object {
  const { label, clientId, createdAtMs, expiresAtMs, lastUsedAtMs, revokedAtMs, replacedAtMs } = record;
  return {
    label,
    ...(clientId === undefined ? {} : { clientId }),
    state: tokenState(record, nowMs),
    created: toIso(createdAtMs),
    expires: toIso(expiresAtMs),
    lastUsed: toIso(lastUsedAtMs),
    revoked: toIso(revokedAtMs),
    replaced: toIso(replacedAtMs),
    awaitsProof: record.awaitsProof,
    readOnly: record.readOnly === true,
    resourceTypes: record.resourceTypes ?? null,
  };
}

/** One line. */
export function describeToken(record: TokenRecord, nowMs: number): string {
  const { label, clientId, createdAtMs, lastUsedAtMs } = record;
  const use = lastUsedAtMs === undefined ? 'never used' : `last used ${new Date(lastUsedAtMs).toISOString()}`;
  const parts = [
    ...(clientId === undefined ? [] : [`client id ${clientId}`]),
    `created ${toDay(createdAtMs)}`,
    describeEnd(record, nowMs),
    use,
    ...describeLimits(record),
  ];
  return `${label}: ${parts.join(', ')}`;
}

function describeEnd(record: TokenRecord, nowMs: number): string {
  const { expiresAtMs, revokedAtMs, replacedAtMs } = record;
  switch (tokenState(record, nowMs)) {
    case 'revoked':
      return `revoked ${toDay(revokedAtMs ?? 0)}`;
    case 'expired':
      return `expired ${toDay(expiresAtMs)}`;
    case 'replaced': {
      const end = record.awaitsProof ? `until its successor is used, at most until` : 'until';
      return `replaced ${toDay(replacedAtMs ?? 0)}, valid ${end} ${toDay(expiresAtMs)}`;
    }
    case 'valid': {
      const days = Math.ceil((expiresAtMs - nowMs) / dayMs);
      return `valid until ${toDay(expiresAtMs)} (${days} ${days === 1 ? 'day' : 'days'})`;
    }
  }
}

/** `read-only`, `only User and Group`. */
export function describeLimits({
  readOnly,
  resourceTypes,
}: Pick<TokenRecord, 'readOnly' | 'resourceTypes'>): readonly string[] {
  return [
    ...(readOnly === true ? ['read-only'] : []),
    ...(resourceTypes === undefined ? [] : [`only ${resourceTypes.join(' and ')}`]),
  ];
}
