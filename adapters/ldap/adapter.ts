import type {
  Adapter,
  AdapterEnvironment,
  BackendRecord,
  Capabilities,
  Change,
  Condition,
  DescribableOperation,
  Inspection,
  LookupQuery,
  OperationContext,
  ReadOptions,
  Scalar,
  SearchQuery,
  SearchResult,
  UpdateOptions,
  UpdateResult,
} from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { hasEnded } from '../../src/backend/has-ended.js';
import { idOf, valuesOf } from '../../src/backend/record.js';
import { afterWrite } from './after-write.js';
import { Calls } from './calls.js';
import { capabilitiesOf, unknownCapabilities } from './capabilities.js';
import type { LdapConfig } from './config.js';
import { addEntry, planNewEntry } from './create.js';
import { describeOperation } from './describe.js';
import type { Directory } from './directory.js';
import { type EntityPlan, type EntityPlans, planEntities } from './entity-plan.js';
import { assertionControl, treeDeleteControl } from './entry-controls.js';
import { findEntry } from './identity.js';
import { inspectEntities } from './inspect.js';
import { both } from './ldap-filter.js';
import { openDirectory } from './open-directory.js';
import { writesPasswords } from './passwords.js';
import { planRead, type ReadContext, type ReadPlan, toRecords } from './read.js';
import { References } from './references.js';
import { revisionOf, revisionSource } from './revision.js';
import { readIds, type ScanQuery, Searches } from './search.js';
import type { ServerProfile } from './server-kind.js';
import { referencesIn, settleReferences } from './settle-references.js';
import { checkUnique, lockKey, UniqueLocks, uniqueValues } from './unique.js';
import { updateEntry } from './update.js';
import { adapterErrorOf } from './wire-errors.js';

/** The adapter of `ldapModule`. Opens without waiting for the directory. */
export async function openLdapAdapter(config: LdapConfig, environment: AdapterEnvironment): Promise<Adapter> {
  for (const { entity } of environment.entities) {
    if (config.entities[entity] !== undefined) continue;
    throw new AdapterError('unsupported', `The adapter's "entities" do not say where "${entity}" is.`);
  }
  const directory = await openDirectory(config, environment.baseDir, environment.log);
  if (!directory.isConfidential && environment.entities.some((use) => writesPasswords(use, config))) {
    await directory.close();
    throw new AdapterError(
      'unsupported',
      'A rule writes passwords, and the connection to the directory is not encrypted: use ldaps:// or "startTls: true", or leave the rule out.',
    );
  }
  return new LdapAdapter(config, environment, directory);
}

const lookupBatch = 200;

/** Everything that depends on the server in use. */
interface Session {
  readonly server: ServerProfile;
  readonly plans: EntityPlans;
}

class LdapAdapter implements Adapter {
  private readonly config: LdapConfig;
  private readonly environment: AdapterEnvironment;
  private readonly directory: Directory;
  private readonly references = new References();
  private readonly searches = new Searches();
  private readonly locks = new UniqueLocks();
  private session: Session | undefined;
  private known: Capabilities;
  private isClosed = false;

  constructor(config: LdapConfig, environment: AdapterEnvironment, directory: Directory) {
    this.config = config;
    this.environment = environment;
    this.directory = directory;
    const entities = environment.entities.map(({ entity, fields }) => [entity, unknownCapabilities(fields)] as const);
    this.known = { version: 0, entities: Object.fromEntries(entities) };
  }

  get capabilities(): Capabilities {
    return this.known;
  }

  get(entity: string, id: string, { fields }: ReadOptions, context: OperationContext) {
    return this.carryOut(entity, context, async (plan, reading) => this.read(planRead(plan, fields), id, reading));
  }

  search(query: SearchQuery, context: OperationContext): Promise<SearchResult> {
    return this.carryOut(query.entity, context, (plan, reading) => this.searches.search(plan, query, reading));
  }

  async *scan(query: ScanQuery, context: OperationContext): AsyncIterable<BackendRecord> {
    let plan: EntityPlan | undefined;
    try {
      const { plans, reading } = await this.begin(context);
      plan = planOf(plans, query.entity);
      yield* this.searches.scan(plan, query, reading);
    } catch (error) {
      throw inFieldsOf(plan, adapterErrorOf(error));
    }
  }

  create(entity: string, record: BackendRecord, { fields }: ReadOptions, context: OperationContext) {
    return this.carryOut(entity, context, async (plan, reading) => {
      const lists = Object.entries(record).map(
        ([name, value]) => [name, valuesOf(value) as readonly Scalar[]] as const,
      );
      const changes = lists.map(([field, values]): Change => ({ op: 'set', field, values }));
      const dnOf = await referencesIn(plan, changes, reading);
      const entry = planNewEntry(plan, record, dnOf);
      const unique = uniqueValues(plan, lists);
      const read = planRead(plan, fields);
      const made = await this.locks.hold(
        unique.map((value) => lockKey(plan, value)),
        async () => {
          await checkUnique(plan, unique, undefined, reading);
          return addEntry(plan, entry, read, reading);
        },
      );
      this.searches.dropKept();
      return afterWrite(async () => {
        const { dn } = entry.name;
        const isMended = await settleReferences(plan, dn, changes, dnOf, reading);
        const told = isMended ? undefined : made;
        const found = told ?? (await reading.calls.base(entity, dn, plan.filter, read.attributes));
        const [created] = found === undefined ? [] : await toRecords(read, [found], reading);
        if (found === undefined || created === undefined) throw outside(plan);
        this.references.remember(plan, { id: idOf(created), dn: found.dn });
        return created;
      });
    });
  }

  update(
    entity: string,
    id: string,
    changes: readonly Change[],
    { fields, ifRevision }: UpdateOptions,
    context: OperationContext,
  ): Promise<UpdateResult> {
    return this.carryOut(entity, context, async (plan, reading) => {
      const written = changes.flatMap((change) =>
        change.op === 'set' || change.op === 'add' ? [[change.field, change.values as readonly Scalar[]] as const] : [],
      );
      const unique = uniqueValues(plan, written);
      const locks = unique.map((value) => lockKey(plan, value));
      // Where the server cannot check the revision with the write, one write at a time can, as far as this process goes.
      if (ifRevision !== undefined) locks.push(`${entity}\0$id\0${id}`);
      const read = planRead(plan, fields);
      const attributes = fields.length === 0 ? [] : read.attributes;
      const request = { id, changes, attributes, ...(ifRevision === undefined ? {} : { ifRevision }) };
      const { changed, entry } = await this.locks.hold(locks, async () => {
        await checkUnique(plan, unique, id, reading);
        return updateEntry(plan, request, reading);
      });
      if (changed) this.searches.dropKept();
      return afterWrite(async () => {
        const [updated] = entry === undefined ? [] : await toRecords(read, [entry], reading);
        const record = fields.length === 0 ? { $id: id } : (updated ?? (await this.read(read, id, reading)));
        if (record === undefined) throw new AdapterError('notFound', `There is no such entry in "${entity}".`);
        return { changed, record };
      });
    });
  }

  delete(
    entity: string,
    id: string,
    { ifRevision }: { readonly ifRevision?: string },
    context: OperationContext,
  ): Promise<void> {
    return this.carryOut(entity, context, async (plan, reading) => {
      const source = revisionSource(plan);
      const entry = await findEntry(plan, id, source === undefined ? [] : [source], reading);
      if (entry === undefined) throw new AdapterError('notFound', `There is no such entry in "${entity}".`);
      if (ifRevision !== undefined && revisionOf(plan, entry) !== ifRevision) {
        throw new AdapterError('revisionMismatch', 'The entry changed since it was read.');
      }
      const seen = source === undefined ? undefined : entry.attributes.get(source.toLowerCase())?.[0];
      const isGuarded = ifRevision !== undefined && seen !== undefined && plan.server.features.assertion;
      await reading.calls.delete(entity, entry.dn, [
        ...(isGuarded && source !== undefined
          ? [assertionControl(both([plan.filter, { kind: 'equality', attribute: source, value: seen }]))]
          : []),
        ...(plan.deletesSubtree ? [treeDeleteControl] : []),
      ]);
      this.references.forget(plan, id);
      this.searches.dropKept();
    });
  }

  lookup(entity: string, query: LookupQuery, context: OperationContext): Promise<readonly BackendRecord[]> {
    return this.carryOut(entity, context, async (plan, reading) => {
      const read = planRead(plan, query.fields);
      const { by } = query;
      if (plan.fields.get(by)?.key === 'dn') {
        const ids = await this.references.idsOf(reading.plans, [entity], query.values.map(String), reading.calls);
        return readIds(read, [...new Set(ids.values())], reading);
      }
      const batches: Promise<readonly BackendRecord[]>[] = [];
      for (let at = 0; at < query.values.length; at += lookupBatch) {
        const operands = query.values
          .slice(at, at + lookupBatch)
          .map((value): Condition => ({ kind: 'compare', path: by, op: 'eq', value: literalOf(value) }));
        batches.push(this.matching(plan, { kind: 'or', operands }, query.fields, reading));
      }
      const found = (await Promise.all(batches)).flat();
      return [...new Map(found.map((record) => [idOf(record), record])).values()];
    });
  }

  async inspect(context: OperationContext): Promise<Inspection> {
    return this.guarded(undefined, async () => {
      const { plans, reading } = await this.begin(context);
      return inspectEntities(plans, reading.calls);
    });
  }

  describe(operation: DescribableOperation): string {
    const entity = operation.kind === 'search' ? operation.query.entity : operation.entity;
    return describeOperation(operation, this.session?.plans.get(entity));
  }

  async check(context: OperationContext): Promise<void> {
    await this.guarded(undefined, async () => {
      await this.begin(context);
      await this.directory.check(context);
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.directory.close();
  }

  private async matching(
    plan: EntityPlan,
    condition: Condition,
    fields: readonly string[],
    reading: ReadContext,
  ): Promise<readonly BackendRecord[]> {
    const records: BackendRecord[] = [];
    const query = { entity: plan.entity, filter: condition, fields, limit: lookupBatch, wantTotal: false };
    let after: string | undefined;
    do {
      const page: SearchResult = await this.searches.search(
        plan,
        { ...query, ...(after === undefined ? {} : { after }) },
        reading,
      );
      records.push(...page.records);
      after = page.next;
    } while (after !== undefined);
    return records;
  }

  private async read(read: ReadPlan, id: string, reading: ReadContext): Promise<BackendRecord | undefined> {
    const entry = await findEntry(read.plan, id, read.attributes, reading);
    if (entry === undefined) return undefined;
    const [record] = await toRecords(read, [entry], reading);
    return record;
  }

  private async carryOut<T>(
    entity: string,
    context: OperationContext,
    work: (plan: EntityPlan, reading: ReadContext) => Promise<T>,
  ): Promise<T> {
    let plan: EntityPlan | undefined;
    return this.guarded(
      () => plan,
      async () => {
        const { plans, reading } = await this.begin(context);
        plan = planOf(plans, entity);
        return work(plan, reading);
      },
    );
  }

  private async guarded<T>(planOfCall: (() => EntityPlan | undefined) | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw inFieldsOf(planOfCall?.(), adapterErrorOf(error));
    }
  }

  /** Plans for the server in use, which another one may have become. */
  private async begin(
    context: OperationContext,
  ): Promise<{ readonly plans: EntityPlans; readonly reading: ReadContext }> {
    if (this.isClosed) throw new AdapterError('unavailable', 'The adapter was closed.');
    if (hasEnded(context)) {
      const details = { applied: 'no', cause: context.signal.reason } as const;
      throw new AdapterError('timeout', 'The request ended before the operation began.', details);
    }
    const server = this.directory.server ?? (await this.directory.connect(context));
    const { plans } = this.session?.server === server ? this.session : this.plan(server);
    const calls = new Calls(this.directory, context, this.config.pageSize ?? 500);
    return { plans, reading: { plans, references: this.references, calls } };
  }

  private plan(server: ServerProfile): Session {
    const { entities, base } = this.config;
    const plans = planEntities({ entities, base, uses: this.environment.entities }, server);
    this.session = { server, plans };
    this.known = {
      version: this.known.version + 1,
      entities: Object.fromEntries([...plans].map(([entity, plan]) => [entity, capabilitiesOf(plan)])),
    };
    return this.session;
  }
}

function planOf(plans: EntityPlans, entity: string): EntityPlan {
  const plan = plans.get(entity);
  if (plan !== undefined) return plan;
  throw new AdapterError('unsupported', `There is no entity "${entity}".`);
}

function literalOf(value: Scalar): string | number | boolean {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'bigint' ? Number(value) : value;
}

function outside({ entity }: EntityPlan): AdapterError {
  return new AdapterError('unsupported', `A new entry is not one of "${entity}": its filter or base leaves it out.`);
}

/** Servers name attributes; the mapping knows fields. */
function inFieldsOf(plan: EntityPlan | undefined, error: unknown): unknown {
  if (plan === undefined || !(error instanceof AdapterError) || error.field === undefined) return error;
  if (plan.fields.has(error.field)) return error;
  const key = (plan.server.schema.attribute(error.field)?.name ?? error.field).toLowerCase();
  const field = [...plan.fields.values()].find((candidate) => candidate.key === key);
  if (field === undefined) return error;
  const { kind, message, reason, retryAfterSeconds, applied, cause } = error;
  return new AdapterError(kind, message, {
    field: field.name,
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    applied,
    cause,
  });
}
