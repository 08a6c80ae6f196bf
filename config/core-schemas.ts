import { readFileSync } from 'node:fs';
import { parseSchema, type Schema } from '../src/scim/schema.js';

/** The schemas of RFC 7643 §4 that every gateway has, as `schemas/rfc7643` holds them (errata applied). */
export const coreUserSchema: Schema = load('User', 'core');
export const coreGroupSchema: Schema = load('Group', 'core');
export const enterpriseUserSchema: Schema = load('EnterpriseUser', 'extension');

function load(name: string, role: 'core' | 'extension'): Schema {
  const file = new URL(`../schemas/rfc7643/${name}.json`, import.meta.url);
  const { schema, problems } = parseSchema(JSON.parse(readFileSync(file, 'utf8')), role);
  if (schema === undefined) throw new Error(`${name}.json: ${problems.map((problem) => problem.message).join(' ')}`);
  return schema;
}
