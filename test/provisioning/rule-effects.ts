import type { Adapter, BackendRecord } from '../../src/backend/adapter.js';
import type { MappingConfig } from '../../src/mapping/rule.js';
import type { RequestContext, ScimService } from '../../src/provisioning/service.js';
import { ScimError } from '../../src/scim/error.js';
import type { JsonValue, Resource, ResourceType } from '../../src/scim/schema.js';
import { type RecordingAdapter, recording } from '../support/recording-adapter.js';
import { createTestService, type TestServiceOptions, type TestType, userType } from '../support/test-service.js';

/** A gateway of one mapping of User, with short ways to use it and to look beneath it. */
export interface UserGateway {
  readonly adapter: RecordingAdapter;
  readonly service: ScimService;
  readonly context: RequestContext;
  /** What was dropped, in the order in which it was. */
  readonly notes: string[];
  create(body: object): Promise<Resource>;
  read(id: string): Promise<Resource>;
  put(id: string, body: object): Promise<Resource>;
  patch(id: string, ...operations: readonly object[]): Promise<Resource>;
  /** The userNames found. */
  search(filter: string): Promise<readonly JsonValue[]>;
  /** The record as the backend has it, without what it makes itself. */
  record(id: string): Promise<BackendRecord>;
}

export async function userGateway(
  rules: MappingConfig,
  options: Partial<TestServiceOptions> & {
    readonly type?: ResourceType;
    readonly others?: readonly TestType[];
    readonly unmapped?: 'reject';
  } = {},
): Promise<UserGateway> {
  const { type = userType, others = [], unmapped, ...rest } = options;
  const user: TestType = {
    type,
    rules: { userName: 'uid', ...rules },
    ...(unmapped === undefined ? {} : { unmapped }),
  };
  const test = await createTestService({
    types: [user, ...others],
    ...rest,
    wrap: (adapter: Adapter) => recording(rest.wrap?.(adapter) ?? adapter),
  });
  const adapter = test.adapter as RecordingAdapter;
  const { service } = test;
  const context = test.context();
  const use = test.plans.get('User')?.use;
  const entity = use?.entity ?? '';
  return {
    adapter,
    service,
    context,
    notes: context.notes,
    create: async (body) =>
      shown((await service.create('User', { userName: 'bjensen', ...body }, {}, context)).resource),
    read: async (id) => shown((await service.read('User', id, {}, {}, context)).resource),
    put: async (id, body) =>
      shown((await service.replace('User', id, { userName: 'bjensen', ...body }, {}, {}, context)).resource),
    patch: async (id, ...operations) =>
      shown((await service.patch('User', id, { Operations: operations }, {}, {}, context)).resource),
    search: async (filter) => {
      const { Resources = [] } = await service.search('User', { filter }, context);
      return (Resources as readonly { readonly userName: JsonValue }[]).map(({ userName }) => userName);
    },
    async record(id) {
      const fields = use?.fields.map(({ name }) => name) ?? [];
      const record = await adapter.get(entity, id, { fields }, context);
      return Object.fromEntries(Object.entries(record ?? {}).filter(([name]) => !name.startsWith('$')));
    },
  };
}

/** Without what the gateway makes: `schemas` and `meta`. */
function shown(resource: Resource | undefined): Resource {
  const { schemas: _, meta: __, ...rest } = resource ?? {};
  return rest;
}

/** The refusal that the call ends in. */
export async function refusal(call: Promise<unknown>): Promise<ScimError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason) => reason,
  );
  if (error instanceof ScimError) return error;
  throw new Error('It was not refused.', { cause: error });
}
