import type { SqlServer } from './sql-server.js';

/** What an administrator can do: all connections of the gateway's account are ended. */
export async function endConnections(server: SqlServer): Promise<void> {
  if (server.kind === 'postgresql') {
    await server.administer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${server.user}'`);
    return;
  }
  const all = `SELECT id FROM information_schema.processlist WHERE user = '${server.user}'`;
  for (const [id] of await server.administer(all)) await server.administer(`KILL ${id}`).catch(() => undefined);
}
