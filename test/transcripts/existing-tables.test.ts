import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll } from 'vitest';
import { startServer } from '../support/in-process-server.js';
import { describeTranscripts } from './transcript-suite.js';
import { basicOf } from './with-basic.js';

const source = join(import.meta.dirname, 'tables');
const folder = mkdtempSync(join(tmpdir(), 'scimbridge-tables-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeTranscripts('tables that exist already', {
  start: async () => {
    const db = new Database(join(folder, 'app.db'));
    db.exec(readFileSync(join(source, 'tables.sql'), 'utf8'));
    db.close();
    return startServer({ config: readFileSync(join(source, 'gateway.yaml'), 'utf8'), baseDir: folder });
  },
  basic: basicOf,
});
