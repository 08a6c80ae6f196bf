import { setMaxListeners } from 'node:events';
import type { Dispatcher } from 'undici';
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
import { createCredentials, headerText, misconfigured } from './auth.js';
import { capabilitiesOf } from './capabilities.js';
import { Client } from './client.js';
import type { RestConfig } from './config.js';
import { openConnections } from './connection.js';
import { createRecord } from './create.js';
import { deleteRecord } from './delete.js';
import { describeOperation } from './describe.js';
import { type EntityPlan, type EntityPlans, planEntities } from './entity-plan.js';
import { sendTemplate } from './exchange.js';
import { inspectEntities } from './inspect.js';
import { holdersOf, lookupRecords } from './lookup.js';
import { completeRecord, readDocument, type Work } from './read.js';
import { RecordQueue } from './record-queue.js';
import { planRefusals } from './refusal.js';
import { type ScanQuery, scanRecords, searchRecords } from './search.js';
import { parseRequest } from './template.js';
import { updateRecord } from './update.js';

const maxResponseBytes = 10_485_760;
const timeoutMs = 10_000;

/**
 * The adapter of `restModule`. Opens without waiting for the target.
 * @param through what requests are sent through instead of connections of its own
 * @throws AdapterError `unsupported` when the configuration cannot work
 */
export async function openRestAdapter(
  config: RestConfig,
  environment: AdapterEnvironment,
  through?: Dispatcher,
): Promise<Adapter> {
  const { plans, problems } = planEntities(environment.entities, config.entities);
  if (problems.length > 0) {
    const told = problems.map(({ configPath, message }) => `${configPath.join('.')}: ${message}`);
    throw misconfigured(told.join(' '));
  }
  const dispatcher = through ?? (await openConnections(config, environment.baseDir));
  const base = new URL(config.baseUrl);
  const limitMs = config.timeoutMs ?? timeoutMs;
  const mediaType = config.mediaType ?? 'application/json';
  const client = new Client({
    origin: base.origin,
    basePath: base.pathname.replace(/\/+$/, ''),
    dispatcher,
    credentials: createCredentials(config.auth, { dispatcher: () => dispatcher, timeoutMs: limitMs }),
    headers: { accept: mediaType, ...ownHeaders(config.headers ?? {}) },
    timeoutMs: limitMs,
    maxResponseBytes: config.maxResponseBytes ?? maxResponseBytes,
    refusals: planRefusals(config.errors),
    secrets: Object.values(config.headers ?? {}),
    pace: environment.pace,
  });
  return new RestAdapter(config, plans, client, mediaType);
}

function ownHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const names = Object.entries(headers).map(([name, value]) => {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw misconfigured(`"headers" has no header "${name}".`);
    return [name.toLowerCase(), headerText(value, `headers.${name}`)] as const;
  });
  return Object.fromEntries(names);
}

class RestAdapter implements Adapter {
  readonly capabilities: Capabilities;
  private readonly config: RestConfig;
  private readonly plans: EntityPlans;
  private readonly client: Client;
  private readonly mediaType: string;
  private readonly queue = new RecordQueue();
  private isClosed = false;

  constructor(config: RestConfig, plans: EntityPlans, client: Client, mediaType: string) {
    this.config = config;
    this.plans = plans;
    this.client = client;
    this.mediaType = mediaType;
    this.capabilities = {
      version: 1,
      entities: Object.fromEntries([...plans].map(([entity, plan]) => [entity, capabilitiesOf(plan)])),
    };
  }

  async get(entity: string, id: string, { fields }: ReadOptions, context: OperationContext) {
    const [plan, work] = this.begin(entity, context);
    const document = await readDocument(plan, id, fields, work);
    return document === undefined ? undefined : completeRecord(plan, id, document, fields, work);
  }

  async search(query: SearchQuery, context: OperationContext): Promise<SearchResult> {
    const [plan, work] = this.begin(query.entity, context);
    return searchRecords(plan, query, work);
  }

  async *scan(query: ScanQuery, context: OperationContext): AsyncIterable<BackendRecord> {
    const [plan, work] = this.begin(query.entity, context);
    yield* scanRecords(plan, query, work);
  }

  async create(entity: string, record: BackendRecord, { fields }: ReadOptions, context: OperationContext) {
    const [plan, work] = this.begin(entity, context);
    return createRecord(plan, record, fields, work);
  }

  async update(
    entity: string,
    id: string,
    changes: readonly Change[],
    options: UpdateOptions,
    context: OperationContext,
  ): Promise<UpdateResult> {
    const [plan, work] = this.begin(entity, context);
    return this.queue.run(`${entity}\0${id}`, () => updateRecord(plan, id, changes, options, work));
  }

  async delete(
    entity: string,
    id: string,
    { ifRevision }: { readonly ifRevision?: string },
    context: OperationContext,
  ): Promise<void> {
    const [plan, work] = this.begin(entity, context);
    return this.queue.run(`${entity}\0${id}`, () => deleteRecord(plan, id, ifRevision, work));
  }

  async lookup(entity: string, query: LookupQuery, context: OperationContext): Promise<readonly BackendRecord[]> {
    const [plan, work] = this.begin(entity, context);
    return lookupRecords(plan, query, work);
  }

  async inspect(context: OperationContext): Promise<Inspection> {
    return inspectEntities(this.plans, this.workFor(context));
  }

  describe(operation: DescribableOperation): string {
    const entity = operation.kind === 'search' ? operation.query.entity : operation.entity;
    try {
      return describeOperation(operation, this.plans.get(entity));
    } catch (error) {
      return `(${error instanceof AdapterError ? (error.reason ?? error.message) : 'this cannot be described'})`;
    }
  }

  async check(context: OperationContext): Promise<void> {
    const work = this.workFor(context);
    const { check } = this.config;
    if (check !== undefined) {
      await sendTemplate(parseRequest(check), { isWrite: false }, work);
      return;
    }
    const [plan] = this.plans.values();
    if (plan === undefined) return;
    await searchRecords(plan, { entity: plan.entity, fields: [], limit: 1, wantTotal: false }, work);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.client.close();
  }

  private begin(entity: string, context: OperationContext): readonly [EntityPlan, Work] {
    const work = this.workFor(context);
    const plan = this.plans.get(entity);
    if (plan === undefined) throw new AdapterError('unsupported', `There is no entity "${entity}".`);
    return [plan, work];
  }

  private workFor(context: OperationContext): Work {
    if (this.isClosed) throw new AdapterError('unavailable', 'The adapter was closed.');
    if (hasEnded(context)) {
      const details = { applied: 'no', cause: context.signal.reason } as const;
      throw new AdapterError('timeout', 'The request ended before the operation began.', details);
    }
    // Every exchange of the operation listens for its end, and there may be many at a time.
    setMaxListeners(0, context.signal);
    const work: Work = {
      client: this.client,
      context,
      mediaType: this.mediaType,
      plans: this.plans,
      holders: async (entity, field, values, by) => {
        const plan = this.plans.get(entity);
        return plan === undefined ? new Map() : holdersOf(plan, field, values, by, work);
      },
    };
    return work;
  }
}
