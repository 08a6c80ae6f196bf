// Writes schemas/gateway.schema.json from the schemas of the built program: `npm run schema`.
// Each adapters/<type>/config.js exports its section's schema as <type>ConfigSchema.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { editorSchema } from '../dist/config/editor-schema.js';

const adapters = new URL('../dist/adapters/', import.meta.url);
const schemas = new Map();
for (const type of readdirSync(adapters).sort()) {
  const file = new URL(`${type}/config.js`, adapters);
  if (!existsSync(file)) continue;
  const schema = (await import(file.href))[`${type}ConfigSchema`];
  if (schema === undefined) throw new Error(`adapters/${type}/config.ts exports no ${type}ConfigSchema.`);
  schemas.set(type, schema);
}
writeFileSync(
  new URL('../schemas/gateway.schema.json', import.meta.url),
  `${JSON.stringify(editorSchema(schemas), null, 2)}\n`,
);
