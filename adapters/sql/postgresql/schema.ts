import type { ReadTableSchemas } from '../pool.js';
import {
  type ColumnKind,
  type ColumnSchema,
  type ForeignKeySchema,
  type IndexSchema,
  missingTable,
  type TableSchema,
} from '../table-schema.js';

/** Everything about the tables in one statement, as JSON. `to_regclass` looks along the search path. */
const question = `
SELECT w.position, r.relkind, json_build_object(
  'columns', (
    SELECT json_agg(json_build_object(
      'name', a.attname,
      'declared', format_type(a.atttypid, a.atttypmod),
      'type', coalesce(b.typname, t.typname),
      'kind', coalesce(b.typtype, t.typtype),
      'modifier', CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
      'notNull', a.attnotnull OR t.typnotnull,
      'generated', a.attgenerated <> '',
      'identity', a.attidentity <> '',
      'default', coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault),
      'deterministic', coalesce(k.collisdeterministic, true),
      'locale', to_jsonb(k) ->> 'collcollate',
      'icuLocale', coalesce(to_jsonb(k) ->> 'colllocale', to_jsonb(k) ->> 'colliculocale')
    ) ORDER BY a.attnum)
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
    LEFT JOIN pg_collation k ON k.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  ),
  'indexes', (
    SELECT json_agg(json_build_object(
      'name', c.relname,
      'unique', i.indisunique,
      'primary', i.indisprimary,
      'partial', i.indpred IS NOT NULL,
      'predicate', pg_get_expr(i.indpred, i.indrelid),
      'sql', CASE WHEN o.oid IS NULL THEN pg_get_indexdef(i.indexrelid) END,
      'parts', (
        SELECT json_agg(json_build_object(
          'column', CASE WHEN i.indcollation[n - 1] = a.attcollation THEN a.attname END,
          'expression', CASE WHEN a.attname IS NULL THEN pg_get_indexdef(i.indexrelid, n, false) END
        ) ORDER BY n)
        FROM generate_series(1, i.indnkeyatts) n
        LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = i.indkey[n - 1] AND a.attnum > 0
      )
    ) ORDER BY i.indexrelid)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam AND m.amname IN ('btree', 'hash')
    LEFT JOIN pg_constraint o ON o.conindid = i.indexrelid AND o.contype IN ('p', 'u')
    WHERE i.indrelid = r.oid AND i.indisvalid
  ),
  'foreignKeys', (
    SELECT json_agg(json_build_object(
      'name', o.conname,
      'columns', (SELECT json_agg(a.attname ORDER BY n) FROM unnest(o.conkey) WITH ORDINALITY AS u (num, n)
        JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = u.num),
      'table', CASE WHEN pg_table_is_visible(f.oid) THEN f.relname ELSE s.nspname || '.' || f.relname END,
      'references', (SELECT json_agg(a.attname ORDER BY n) FROM unnest(o.confkey) WITH ORDINALITY AS u (num, n)
        JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = u.num)
    ) ORDER BY o.oid)
    FROM pg_constraint o
    JOIN pg_class f ON f.oid = o.confrelid
    JOIN pg_namespace s ON s.oid = f.relnamespace
    WHERE o.conrelid = r.oid AND o.contype = 'f'
  )
)::text
FROM json_array_elements_text($1::json) WITH ORDINALITY AS w (name, position)
JOIN pg_class r ON r.oid = to_regclass(w.name) AND r.relkind IN ('r', 'p', 'v', 'm', 'f')`;

interface FoundTable {
  readonly columns: readonly FoundColumn[] | null;
  readonly indexes: readonly FoundIndex[] | null;
  readonly foreignKeys: readonly ForeignKeySchema[] | null;
}

interface FoundColumn {
  readonly name: string;
  readonly declared: string;
  /** The type's own name, `int4`; of a domain, that of the type beneath. */
  readonly type: string;
  readonly kind: string;
  readonly modifier: number;
  readonly notNull: boolean;
  readonly generated: boolean;
  readonly identity: boolean;
  readonly default: string | null;
  readonly deterministic: boolean;
  readonly locale: string | null;
  readonly icuLocale: string | null;
}

interface FoundIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly partial: boolean;
  readonly predicate: string | null;
  readonly sql: string | null;
  readonly parts: readonly { readonly column: string | null; readonly expression: string | null }[];
}

/** The tables as PostgreSQL has them, in one round trip. */
export const readPostgresqlSchemas: ReadTableSchemas = async (connection, tables) => {
  const names = JSON.stringify(tables.map(quoted));
  const { rows } = await connection.run({ text: question, params: [names] });
  const found = new Map(
    rows.map(([position, relkind, json]) => [Number(position) - 1, { relkind, json: String(json) }]),
  );
  return tables.map((table, index) => {
    const row = found.get(index);
    if (row === undefined) return missingTable(table);
    return toTableSchema(table, row.relkind === 'v' || row.relkind === 'm', JSON.parse(row.json) as FoundTable);
  });
};

/** `hr.users` is the table of a schema, each part by its exact characters. */
function quoted(table: string): string {
  return table
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}

function toTableSchema(name: string, isView: boolean, { columns, indexes, foreignKeys }: FoundTable): TableSchema {
  const schemas = (columns ?? []).map(toColumnSchema);
  const primary = indexes?.find((index) => index.primary)?.parts.map(({ column }) => column?.toLowerCase() ?? '') ?? [];
  return {
    name,
    exists: true,
    isView,
    columns: new Map(schemas.map((column) => [column.name.toLowerCase(), column])),
    indexes: (indexes ?? []).map(toIndexSchema),
    primaryKey: primary,
    foreignKeys: foreignKeys ?? [],
    hasRowid: false,
    isAutoincrement: true, // Sequences go on.
  };
}

function toIndexSchema({ name, unique, partial, predicate, sql, parts }: FoundIndex): IndexSchema {
  return {
    name,
    unique,
    partial,
    ...(predicate === null ? {} : { predicate }),
    columns: parts.map(({ column }) => column ?? undefined),
    expressions: parts.map(({ expression }) => expression ?? undefined),
    ...(sql === null ? {} : { sql }),
  };
}

const kinds: Readonly<Record<string, ColumnKind>> = {
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  citext: 'text',
  name: 'text',
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  float4: 'real',
  float8: 'real',
  numeric: 'numeric',
  bool: 'boolean',
  uuid: 'uuid',
  bytea: 'bytes',
  timestamptz: 'instant',
  timestamp: 'localTime',
  date: 'date',
  json: 'json',
  jsonb: 'json',
};

const bitsOf: Readonly<Record<string, bigint>> = { int2: 15n, int4: 31n, int8: 63n };

function toColumnSchema(column: FoundColumn): ColumnSchema {
  const { name, declared, type, modifier, notNull } = column;
  // An array or an enum may be called like a type of the system.
  const kind = column.kind === 'b' ? (kinds[type] ?? 'other') : 'other';
  const bits = bitsOf[type];
  const isEmptyDefault = /^''::(text|character varying|bpchar|citext)/.test(column.default ?? '');
  return {
    name,
    declaredType: declared,
    kind,
    ...collationOf(column),
    notNull,
    isGenerated: column.generated,
    isGivenByDatabase:
      column.identity || /^(nextval|gen_random_uuid|uuid_generate_v\d\w*)\(/.test(column.default ?? ''),
    hasDefault: column.default !== null,
    defaultsToEmptyText: notNull && isEmptyDefault,
    ...(['varchar', 'bpchar'].includes(type) && modifier > 4 ? { maxLength: modifier - 4 } : {}),
    ...(type === 'name' ? { maxBytes: 63 } : {}),
    ...(bits === undefined ? {} : { range: [-(2n ** bits), 2n ** bits - 1n] as const }),
    ...(type === 'timestamptz' || type === 'timestamp' ? { fractionDigits: modifier < 0 ? 6 : modifier } : {}),
  };
}

/** Equal is what has the same bytes, but for types and collations that say otherwise. */
function collationOf({
  type,
  deterministic,
  locale,
  icuLocale,
}: FoundColumn): Pick<ColumnSchema, 'collation' | 'ignoresCase'> {
  if (type === 'citext') return { collation: 'other', ignoresCase: true };
  if (type === 'bpchar') return { collation: 'other', ignoresCase: false }; // Spaces at the end do not count.
  if (deterministic) return { collation: 'binary' };
  return {
    collation: 'other',
    ignoresCase: /ks-level[12]|colstrength=(primary|secondary)/i.test(icuLocale ?? locale ?? ''),
  };
}
