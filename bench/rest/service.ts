/**
 * The service that the part on REST asks: users of a table as JSON, with pages, look-ups by login, merge patches under If-Match and
 * ETags. It writes as durably as the other servers of the benchmark.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { type Person, personOf } from './person.js';

interface Row {
  readonly id: string;
  readonly version: number;
  readonly doc: string;
}

const { values: options } = parseArgs({
  options: { file: { type: 'string' }, token: { type: 'string' }, seed: { type: 'string', default: '0' } },
});
const { file, token } = options;
if (file === undefined || token === undefined) throw new Error('--file and --token are needed.');

const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`
  CREATE TABLE users (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, login TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, doc TEXT NOT NULL
  )
`);
const selectById = db.prepare<[string], Row>('SELECT id, version, doc FROM users WHERE id = ?');
const selectByLogin = db.prepare<[string], Row>('SELECT id, version, doc FROM users WHERE login = ?');
const selectPage = db.prepare<[number, number], Row>(
  'SELECT id, version, doc FROM users ORDER BY seq LIMIT ? OFFSET ?',
);
const countAll = db.prepare<[], number>('SELECT count(*) FROM users').pluck();
const insert = db.prepare<[string, string, string]>('INSERT INTO users (id, login, version, doc) VALUES (?, ?, 1, ?)');
const update = db.prepare<[string, string, string]>(
  'UPDATE users SET login = ?, version = version + 1, doc = ? WHERE id = ?',
);
let requests = 0;

function createUser(person: Person): Row {
  const row: Row = { id: randomUUID(), version: 1, doc: JSON.stringify(person) };
  insert.run(row.id, person.login.toLowerCase(), row.doc);
  return row;
}

const patchUser = db.transaction((id: string, ifMatch: string | undefined, patch: object): Row | 404 | 412 => {
  const row = selectById.get(id);
  if (row === undefined) return 404;
  if (ifMatch !== undefined && ifMatch !== etagOf(row)) return 412;
  const person = merged(JSON.parse(row.doc), patch) as Person;
  const doc = JSON.stringify(person);
  update.run(person.login.toLowerCase(), doc, id);
  return { id, version: row.version + 1, doc };
});

db.transaction((count: number) => {
  for (let n = 0; n < count; n++) createUser(personOf(n));
}).immediate(Number(options.seed));

/** RFC 7396. */
function merged(document: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(document as object) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

function etagOf({ version }: Row): string {
  return `"${version}"`;
}

function shown(row: Row): string {
  return `{"id":"${row.id}","etag":"\\"${row.version}\\"",${row.doc.slice(1)}`;
}

function answer(response: ServerResponse, status: number, text: string, headers: object = {}): void {
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers });
  response.end(text);
}

function answerRow(response: ServerResponse, status: number, row: Row | undefined | 404 | 412): void {
  if (typeof row === 'object') answer(response, status, shown(row), { etag: etagOf(row) });
  else answer(response, row ?? 404, '{"message":"No."}');
}

const root = '/api/users';

function list(response: ServerResponse, query: URLSearchParams): void {
  const login = query.get('login');
  const size = Number(query.get('per_page') ?? 100);
  const found = login === null ? undefined : selectByLogin.get(login.toLowerCase());
  const rows =
    login === null
      ? selectPage.all(size, (Number(query.get('page') ?? 1) - 1) * size)
      : found === undefined
        ? []
        : [found];
  const total = login === null ? (countAll.get() ?? 0) : rows.length;
  answer(response, 200, `[${rows.map(shown).join(',')}]`, { 'x-total-count': total });
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, headers } = request;
  const [path = '', query = ''] = (request.url ?? '').split('?');
  if (path === '/requests') return answer(response, 200, String(requests));
  requests++;
  if (headers.authorization !== `Bearer ${token}`) return answer(response, 401, '{"message":"Who?"}');
  if (method === 'GET') {
    return path === root ? list(response, new URLSearchParams(query)) : answerRow(response, 200, byPath(path));
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = JSON.parse(Buffer.concat(chunks).toString()) as Person;
  if (method === 'POST') return answerRow(response, 201, createUser(body));
  answerRow(response, 200, patchUser.immediate(path.slice(root.length + 1), headers['if-match'], body));
}

function byPath(path: string): Row | undefined {
  return selectById.get(path.slice(root.length + 1));
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => answer(response, 500, '{"message":"Oops."}'));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  db.close();
});
