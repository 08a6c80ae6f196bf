import { editDistance } from '../scim/edit-distance.js';

/** The names, those that differ least from the misspelt one first. */
export function byNearness(misspelt: string, names: readonly string[]): readonly string[] {
  const wanted = misspelt.toLowerCase();
  const distances = new Map(names.map((name) => [name, editDistance(wanted, name.toLowerCase())]));
  return [...names].sort((a, b) => (distances.get(a) ?? 0) - (distances.get(b) ?? 0));
}
