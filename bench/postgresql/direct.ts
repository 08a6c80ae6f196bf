import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { columns, userRow } from './seed.js';

/** As many as the gateway has. */
const connections = 10;
const all = [...columns, 'row_version', 'created_at', 'modified_at'].join(', ');

/**
 * What a program does that knows the tables: prepared statements of the same driver, over as many connections. What a change means
 * for the version and the time of a record is its business too.
 */
export class Direct {
  private readonly pool: pg.Pool;

  constructor(url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: connections });
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  readById(id: string): Promise<void> {
    return this.one('by id', `SELECT ${all} FROM users WHERE id = $1`, [id]);
  }

  byUserName(userName: string): Promise<void> {
    return this.one('by name', `SELECT ${all} FROM users WHERE lower(user_name) = lower($1)`, [userName]);
  }

  setTitle(id: string, title: string): Promise<void> {
    const change = 'UPDATE users SET title = $2, row_version = row_version + 1, modified_at = now() WHERE id = $1';
    return this.one('title', `${change} RETURNING ${all}`, [id, title]);
  }

  create(n: number): Promise<void> {
    const marks = columns.map((_, at) => `$${at + 1}`).join(', ');
    const insert = `INSERT INTO users (${columns.join(', ')}) VALUES (${marks}) RETURNING ${all}`;
    return this.one('create', insert, [...userRow(n, randomUUID())]);
  }

  addMember(group: string, user: string): Promise<void> {
    const insert = 'INSERT INTO memberships VALUES ($1, $2) ON CONFLICT DO NOTHING';
    return this.changeMembers('add', insert, group, user);
  }

  removeMember(group: string, user: string): Promise<void> {
    return this.changeMembers('remove', 'DELETE FROM memberships WHERE team_id = $1 AND user_id = $2', group, user);
  }

  /** The link and the group's version in one transaction, or readers would not see that it changed. */
  private async changeMembers(name: string, text: string, group: string, user: string): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      const touch = 'UPDATE teams SET row_version = row_version + 1, modified_at = now() WHERE id = $1';
      await client.query({ name: 'touch', text: touch, values: [group] });
      await client.query({ name, text, values: [group, user] });
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }

  private async one(name: string, text: string, values: unknown[]): Promise<void> {
    const { rowCount } = await this.pool.query({ name, text, values });
    if (rowCount !== 1) throw new Error(`The statement "${name}" gave ${rowCount} rows.`);
  }
}
