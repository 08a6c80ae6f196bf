import type { TablesConfig } from '../../adapters/sql/config.js';
import type { EntityUse, FieldUse } from '../../src/backend/adapter.js';

type FieldConfig = TablesConfig[string]['fields'][string];

/** Tables that hold everything that a mapping asks for, and the configuration that says where. */
export function tablesFor(entities: readonly EntityUse[]): { readonly schema: string; readonly tables: TablesConfig } {
  const statements: string[] = [];
  const tables: { [entity: string]: TablesConfig[string] } = {};
  for (const { entity, fields } of entities) {
    const columns = ['id TEXT PRIMARY KEY', 'version INTEGER NOT NULL DEFAULT 1', 'created TEXT', 'modified TEXT'];
    const configs: { [field: string]: FieldConfig } = {};
    for (const [index, use] of fields.entries()) {
      const name = `${entity}_${index}`;
      if (use.type !== 'records' && !use.multiple) {
        configs[use.name] = { column: `c${index}`, ...folded(use, `f${index}`) };
        columns.push(...columnsOf(use, `c${index}`, `f${index}`));
        continue;
      }
      const parts = use.type === 'records' ? (use.children ?? []) : [use];
      const own = parts.flatMap((part, at) => columnsOf(part, `p${at}`, `q${at}`));
      statements.push(`CREATE TABLE ${name} (parent TEXT NOT NULL, position INTEGER, ${own.join(', ')})`);
      const columnOf = (part: FieldUse, at: number) => ({ column: `p${at}`, ...folded(part, `q${at}`) });
      configs[use.name] = {
        table: name,
        parent: 'parent',
        position: 'position',
        ...(use.type === 'records'
          ? { columns: Object.fromEntries(parts.map((part, at) => [part.name, columnOf(part, at)])) }
          : { column: columnOf(use, 0) }),
      };
    }
    statements.push(`CREATE TABLE ${entity} (${columns.join(', ')})`);
    tables[entity] = {
      table: entity,
      key: 'id',
      version: 'version',
      created: 'created',
      modified: 'modified',
      fields: configs,
    };
  }
  return { schema: statements.join(';\n'), tables };
}

function folded({ type, comparison }: FieldUse, column: string): { readonly folded?: string } {
  return type === 'string' && comparison === 'fold' ? { folded: column } : {};
}

const columnTypes = { string: 'TEXT', number: 'NUMERIC', boolean: 'BOOLEAN', instant: 'TEXT', bytes: 'BLOB' } as const;

function columnsOf(use: FieldUse, column: string, foldedColumn: string): readonly string[] {
  if (use.type === 'records') return [];
  const collation = use.type === 'string' && use.comparison === 'asciiFold' ? ' COLLATE NOCASE' : '';
  const own = `${column} ${columnTypes[use.type]}${collation}`;
  return folded(use, foldedColumn).folded === undefined ? [own] : [own, `${foldedColumn} TEXT`];
}
