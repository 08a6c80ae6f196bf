import { editDistance } from '../../src/scim/edit-distance.js';

/** ` Did you mean "…"?`, or nothing when no name is near. */
export function nearestName(wanted: string, names: readonly string[]): string {
  const ranked = names
    .map((candidate) => ({ candidate, distance: editDistance(wanted.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  const isNear = best !== undefined && best.distance <= Math.max(2, Math.floor(wanted.length / 3));
  return isNear ? ` Did you mean "${best.candidate}"?` : '';
}
