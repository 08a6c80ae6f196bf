/**
 * What the gateway is compared with: SCIM by hand for one table, as it can be written in an afternoon. It answers the requests
 * of the benchmark as the gateway does, and writes as durably. It has no mapping and no validation, knows one filter,
 * and PATCH paths without sub-attributes only.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { serve } from '@hono/node-server';
import Database from 'better-sqlite3';
import { type Context, Hono } from 'hono';
import { type UserDocument, userDocument } from './documents.js';

interface Row {
  readonly id: string;
  readonly version: number;
  readonly created: string;
  readonly modified: string;
  readonly doc: string;
}

interface PatchBody {
  readonly Operations: readonly { readonly op: string; readonly path: string; readonly value?: unknown }[];
}

const { values: options } = parseArgs({
  options: {
    file: { type: 'string' },
    token: { type: 'string' },
    seed: { type: 'string', default: '0' },
  },
});
const { file, token } = options;
if (file === undefined || token === undefined) throw new Error('--file and --token are needed.');

const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`
  CREATE TABLE IF NOT EXISTS users (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_name TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    doc TEXT NOT NULL
  )
`);
const columns = 'id, version, created, modified, doc';
const selectById = db.prepare<[string], Row>(`SELECT ${columns} FROM users WHERE id = ?`);
const selectByUserName = db.prepare<[string], Row>(`SELECT ${columns} FROM users WHERE user_name = ?`);
const selectPage = db.prepare<[number, number], Row>(`SELECT ${columns} FROM users ORDER BY seq LIMIT ? OFFSET ?`);
const countAll = db.prepare<[], number>('SELECT count(*) FROM users').pluck();
const insert = db.prepare<[string, string, string, string, string]>(
  'INSERT INTO users (id, user_name, version, created, modified, doc) VALUES (?, ?, 1, ?, ?, ?)',
);
const update = db.prepare<[string, string, string, string]>(
  'UPDATE users SET user_name = ?, version = version + 1, modified = ?, doc = ? WHERE id = ?',
);

function createUser(document: UserDocument): Row {
  const now = new Date().toISOString();
  const row: Row = { id: randomUUID(), version: 1, created: now, modified: now, doc: JSON.stringify(document) };
  insert.run(row.id, document.userName.toLowerCase(), now, now, row.doc);
  return row;
}

const patchUser = db.transaction((id: string, { Operations }: PatchBody): Row | undefined => {
  const row = selectById.get(id);
  if (row === undefined) return undefined;
  const document = JSON.parse(row.doc) as UserDocument & { [attribute: string]: unknown };
  for (const { op, path, value } of Operations) {
    if (op.toLowerCase() === 'remove') delete document[path];
    else document[path] = value;
  }
  const modified = new Date().toISOString();
  const doc = JSON.stringify(document);
  update.run(document.userName.toLowerCase(), modified, doc, id);
  return { ...row, version: row.version + 1, modified, doc };
});

const seed = db.transaction((count: number) => {
  for (let n = 0; n < count; n++) createUser(userDocument(n));
});
seed.immediate(Number(options.seed));

const base = '/scim';
const authorization = `Bearer ${token}`;
const app = new Hono();

app.use(`${base}/*`, async (context, next) => {
  if (context.req.header('authorization') !== authorization) return failure(context, 401, 'The token is not valid.');
  return next();
});

app.get(`${base}/Users/:id`, (context) => {
  const row = selectById.get(context.req.param('id'));
  return row === undefined ? failure(context, 404, 'No such user.') : one(context, 200, row);
});

app.get(`${base}/Users`, (context) => {
  const filter = context.req.query('filter');
  if (filter !== undefined) {
    const userName = /^userName eq "([^"\\]*)"$/i.exec(filter)?.[1];
    if (userName === undefined) return failure(context, 400, 'Only userName eq "…" is known.', 'invalidFilter');
    const row = selectByUserName.get(userName.toLowerCase());
    const rows = row === undefined ? [] : [row];
    return list(context, rows, rows.length, 1);
  }
  const startIndex = Math.max(1, Number(context.req.query('startIndex') ?? 1));
  const count = Math.min(1000, Number(context.req.query('count') ?? 100));
  return list(context, selectPage.all(count, startIndex - 1), countAll.get() ?? 0, startIndex);
});

app.post(`${base}/Users`, async (context) => {
  const document = await context.req.json<UserDocument>();
  try {
    return one(context, 201, createUser(document));
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE') {
      return failure(context, 409, 'The userName is taken.', 'uniqueness');
    }
    throw error;
  }
});

app.patch(`${base}/Users/:id`, async (context) => {
  const body = await context.req.json<PatchBody>();
  const row = patchUser.immediate(context.req.param('id'), body);
  return row === undefined ? failure(context, 404, 'No such user.') : one(context, 200, row);
});

app.get('/health/ready', (context) => context.json({ status: 'ready' }));

function toResource(row: Row, location: string): object {
  return {
    ...(JSON.parse(row.doc) as object),
    id: row.id,
    meta: {
      resourceType: 'User',
      created: row.created,
      lastModified: row.modified,
      location,
      version: `W/"${row.version}"`,
    },
  };
}

function endpointOf(context: Context): string {
  return `${new URL(context.req.url).origin}${base}/Users`;
}

function one(context: Context, status: 200 | 201, row: Row): Response {
  const location = `${endpointOf(context)}/${row.id}`;
  return context.body(JSON.stringify(toResource(row, location)), status, {
    'Content-Type': 'application/scim+json',
    ETag: `W/"${row.version}"`,
    Location: location,
  });
}

function list(context: Context, rows: readonly Row[], totalResults: number, startIndex: number): Response {
  const endpoint = endpointOf(context);
  const body = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults,
    itemsPerPage: rows.length,
    startIndex,
    Resources: rows.map((row) => toResource(row, `${endpoint}/${row.id}`)),
  };
  return context.body(JSON.stringify(body), 200, { 'Content-Type': 'application/scim+json' });
}

function failure(context: Context, status: 400 | 401 | 404 | 409, detail: string, scimType?: string): Response {
  const body = { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status), scimType, detail };
  return context.body(JSON.stringify(body), status, { 'Content-Type': 'application/scim+json' });
}

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.once('SIGTERM', () => {
  server.close();
  db.close();
});
