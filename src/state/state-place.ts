/** Where the gateway's own state lies. Plain data, so that threads can be given it. */
export interface StatePlace {
  /** Absolute: the folder of the SQLite files. Nothing is looked for in it where there is a `database`. */
  readonly dataDir: string;
  /** PostgreSQL, shared by several replicas. */
  readonly database?: DatabasePlace;
}

export interface DatabasePlace {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  /** Holds the gateway's tables. A plain name in lower case, since it becomes part of statements. */
  readonly schema: string;
  /** Open at the same time, in one process. */
  readonly connections: number;
  /** Undefined: clear text. */
  readonly tls: DatabaseTls | undefined;
}

/** PEM texts. */
export interface DatabaseTls {
  /** Default: the well-known authorities. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** The name in the server's certificate, where it is not the host's. */
  readonly serverName?: string;
}

/** Where it is, for sentences: no account, no password. */
export function describePlace({ dataDir, database }: StatePlace): string {
  return database === undefined ? dataDir : describeDatabase(database);
}

export function describeDatabase({ host, port, database }: DatabasePlace): string {
  return `"${database}" on ${host}:${port}`;
}
