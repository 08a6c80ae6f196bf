import { randomUUID } from 'node:crypto';
import type {
  Adapter,
  AdapterEnvironment,
  BackendRecord,
  Capabilities,
  Change,
  DescribableOperation,
  Inspection,
  LookupQuery,
  OperationContext,
  ReadOptions,
  SearchQuery,
  SearchResult,
  UpdateOptions,
  UpdateResult,
} from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import { capabilitiesOfAll, unknownCapabilities } from './capabilities.js';
import type { TablesConfig } from './config.js';
import { describeOperation } from './describe.js';
import type { Dialect } from './dialects/dialect.js';
import { toCommitError } from './dialects/server-errors.js';
import { type EntityPlans, planEntities, planOf } from './entity-plan.js';
import { inspectTables } from './inspect-tables.js';
import { create, remove, update } from './operations.js';
import { PagePositions } from './page-positions.js';
import { type SqlConnection, type SqlPool, SqlRefusal } from './pool.js';
import { getById, lookup, search } from './search.js';
import type { ServerKind } from './server-kind.js';
import { StatementNames } from './statement-names.js';
import { missingTable, type TableSchema } from './table-schema.js';
import { runLater, type Work } from './work.js';
import type { Writer } from './write-records.js';

export interface ServerAdapterOptions {
  readonly kind: ServerKind;
  readonly pool: SqlPool;
  readonly tables: TablesConfig;
  readonly environment: AdapterEnvironment;
}

/** What was found out about the server and its tables. */
interface Session {
  readonly dialect: Dialect;
  readonly plans: EntityPlans;
  readonly names: StatementNames;
}

const scanPageSize = 500;
/** Tables that do not fit the configuration are looked at again after so long at the earliest. */
const rereadPauseMs = 5_000;
/** How long opening waits for a server that is there. */
const openWaitMs = 2_000;

/** Records in tables of a server. Opens without waiting for one that is down. @throws AdapterError unsupported */
export async function openServerAdapter(options: ServerAdapterOptions): Promise<Adapter> {
  for (const { entity } of options.environment.entities) {
    if (options.tables[entity] !== undefined) continue;
    throw new AdapterError('unsupported', `The adapter's "entities" do not say where "${entity}" is.`);
  }
  const adapter = new ServerAdapter(options);
  await adapter.start();
  return adapter;
}

class ServerAdapter implements Adapter {
  capabilities: Capabilities;
  private readonly options: ServerAdapterOptions;
  private readonly positions = new PagePositions();
  private session: Session | undefined;
  private dialect: Dialect | undefined;
  private opening: Promise<Session> | undefined;
  private rereadAt = Number.NEGATIVE_INFINITY;
  private isClosed = false;

  constructor(options: ServerAdapterOptions) {
    this.options = options;
    const { entities } = options.environment;
    const unknown = entities.map(({ entity, fields }) => [entity, unknownCapabilities(fields)] as const);
    this.capabilities = { version: 0, entities: Object.fromEntries(unknown) };
  }

  async start(): Promise<void> {
    const signal = AbortSignal.timeout(openWaitMs);
    try {
      await this.connect({ signal, deadlineMs: performance.now() + openWaitMs, requestId: 'open' });
    } catch (error) {
      const { log } = this.options.environment;
      log.warn({ err: error }, 'The database cannot be reached yet.');
    }
  }

  get(entity: string, id: string, { fields }: ReadOptions, context: OperationContext) {
    return this.read(context, ({ plans }) => getById(planOf(plans, entity), id, fields));
  }

  async search(query: SearchQuery, context: OperationContext): Promise<SearchResult> {
    const placed = this.positions.placed(query);
    const result = await this.read(context, ({ plans }) => search(planOf(plans, query.entity), placed));
    this.positions.remember(query, result);
    return result;
  }

  async *scan(
    query: Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>,
    context: OperationContext,
  ): AsyncIterable<BackendRecord> {
    let next = query.after;
    const { after: _, ...rest } = query;
    do {
      const page: SearchQuery = { ...rest, limit: scanPageSize, wantTotal: false };
      const placed = next === undefined ? page : { ...page, after: next };
      const result = await this.read(context, ({ plans }) => search(planOf(plans, query.entity), placed));
      yield* result.records;
      next = result.next;
    } while (next !== undefined);
  }

  async create(entity: string, record: BackendRecord, { fields }: ReadOptions, context: OperationContext) {
    return this.write(entity, context, (writer) => create(writer, entity, record, fields));
  }

  update(
    entity: string,
    id: string,
    changes: readonly Change[],
    options: UpdateOptions,
    context: OperationContext,
  ): Promise<UpdateResult> {
    return this.write(entity, context, (writer) => update(writer, entity, id, changes, options));
  }

  delete(
    entity: string,
    id: string,
    { ifRevision }: { readonly ifRevision?: string },
    context: OperationContext,
  ): Promise<void> {
    return this.write(entity, context, (writer) => remove(writer, entity, id, ifRevision));
  }

  lookup(entity: string, query: LookupQuery, context: OperationContext): Promise<readonly BackendRecord[]> {
    return this.read(context, ({ plans }) => lookup(planOf(plans, entity), query));
  }

  async inspect(context: OperationContext): Promise<Inspection> {
    const { environment, tables, pool } = this.options;
    const session = await this.connect(context);
    const problems = await pool.read(async (connection) => {
      const readTable = await this.readTables(connection);
      const options = { dialect: session.dialect, uses: environment.entities, tables, readTable };
      return runLater(inspectTables(options), executeOn(connection, session, context));
    }, context);
    const entities = environment.entities.map(({ entity, fields }) => ({
      entity,
      fields: fields.map(({ name, type, multiple }) => ({
        name,
        type,
        multiple,
        writable: session.plans.get(entity)?.fields.get(name)?.isWritable ?? false,
      })),
    }));
    return { entities, problems };
  }

  describe(operation: DescribableOperation): string {
    const { session } = this;
    if (session === undefined) return '-- The database was not reached yet, so that its tables are not known.';
    try {
      return describeOperation(session.plans, operation);
    } catch (error) {
      return `-- ${error instanceof AdapterError ? error.message : 'This cannot be described.'}`;
    }
  }

  async check(context: OperationContext): Promise<void> {
    await this.options.pool.check(context);
    await this.connect(context);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.options.pool.close();
  }

  private async read<T>(context: OperationContext, work: (session: Session) => Work<T>): Promise<T> {
    return this.carryOut(context, (session) =>
      this.options.pool.read((connection) => runLater(work(session), executeOn(connection, session, context)), context),
    );
  }

  private async write<T>(entity: string, context: OperationContext, work: (writer: Writer) => Work<T>): Promise<T> {
    try {
      return await this.carryOut(context, (session) =>
        this.options.pool.transaction((connection) => {
          const writer: Writer = { plans: session.plans, now: new Date().toISOString(), newKey: randomUUID };
          return runLater(work(writer), executeOn(connection, session, context));
        }, context),
      );
    } finally {
      this.positions.forget(entity);
    }
  }

  /** A table that lacks what it had is read anew, and the operation, of which nothing was carried out, tried once more. */
  private async carryOut<T>(context: OperationContext, operate: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.connect(context);
    try {
      return await operate(session);
    } catch (error) {
      if (!isAboutSchema(error)) throw finalError(error);
      if (performance.now() - this.rereadAt < rereadPauseMs) throw finalError(error);
      this.rereadAt = performance.now();
      if (this.session === session) this.session = undefined;
    }
    try {
      return await operate(await this.connect(context));
    } catch (error) {
      throw finalError(error);
    }
  }

  private async connect(context: OperationContext): Promise<Session> {
    if (hasEnded(context)) {
      const cause: unknown = context.signal.reason;
      throw new AdapterError('timeout', 'The request ended before the operation began.', { applied: 'no', cause });
    }
    if (this.isClosed) throw new AdapterError('unavailable', 'The adapter was closed.');
    if (this.session !== undefined) return this.session;
    this.opening ??= this.openSession(context).finally(() => {
      this.opening = undefined;
    });
    try {
      return await this.opening;
    } catch (error) {
      throw finalError(error);
    }
  }

  private async openSession(context: OperationContext): Promise<Session> {
    const { kind, pool, environment, tables } = this.options;
    return pool.read(async (connection) => {
      const dialect = this.dialect ?? (await kind.dialectOf(connection));
      this.dialect = dialect;
      const readTable = await this.readTables(connection);
      const plans = planEntities({ dialect, uses: environment.entities, tables, readTable });
      const session = { dialect, plans, names: new StatementNames() };
      this.session = session;
      this.capabilities = { version: this.capabilities.version + 1, entities: capabilitiesOfAll(plans) };
      return session;
    }, context);
  }

  private async readTables(connection: SqlConnection): Promise<(table: string) => TableSchema> {
    const { kind, tables } = this.options;
    const names = [...new Set(Object.values(tables).flatMap(tablesIn))];
    const schemas = await kind.readTableSchemas(connection, names);
    const byName = new Map(schemas.map((schema) => [schema.name, schema]));
    return (table) => byName.get(table) ?? missingTable(table);
  }
}

function tablesIn({ table, writeTable, fields }: TablesConfig[string]): readonly string[] {
  const children = Object.values(fields).flatMap((field) =>
    typeof field === 'object' && 'table' in field ? [field.table] : [],
  );
  return [table, ...(writeTable === undefined ? [] : [writeTable]), ...children];
}

function executeOn(connection: SqlConnection, { dialect, names }: Session, context: OperationContext) {
  return async ({
    text,
    params,
  }: {
    readonly text: string;
    readonly params: Parameters<SqlConnection['run']>[0]['params'];
  }) => {
    const native = dialect.native(text);
    const name = names.of(native);
    const statement = { text: native, params, ...(name === undefined ? {} : { name }) };
    if (context.trace === undefined) return connection.run(statement);
    const startedAt = performance.now();
    try {
      return await connection.run(statement);
    } finally {
      context.trace({ operation: native, durationMs: performance.now() - startedAt });
    }
  };
}

function isAboutSchema(error: unknown): error is SqlRefusal {
  return error instanceof SqlRefusal && (error.kind === 'noSuchTable' || error.kind === 'noSuchColumn');
}

function finalError(error: unknown): unknown {
  if (!(error instanceof SqlRefusal)) return error;
  if (!isAboutSchema(error)) return toCommitError(error);
  const what = error.kind === 'noSuchTable' ? 'a table' : 'a column';
  return new AdapterError(
    'unavailable',
    `The database lacks ${what} that the configuration names: see \`check --connect\`.`,
    {
      reason: 'The gateway is configured for other tables than the database has.',
      cause: error,
    },
  );
}
