// Writes schemas/gateway.schema.json from the schemas of the built program: `npm run schema`.
import { writeFileSync } from 'node:fs';
import { loadAdapterModules } from '../dist/adapters/registry.js';
import { editorSchema } from '../dist/config/editor-schema.js';

const schemas = new Map();
for (const [type, { configSchema }] of [...(await loadAdapterModules())].sort()) schemas.set(type, configSchema);
writeFileSync(
  new URL('../schemas/gateway.schema.json', import.meta.url),
  `${JSON.stringify(editorSchema(schemas), null, 2)}\n`,
);
