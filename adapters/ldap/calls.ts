import type { OperationContext } from '../../src/backend/adapter.js';
import { shapeOf } from './describe-filter.js';
import type {
  Attribute,
  AttributeValue,
  Directory,
  Entry,
  Modification,
  Rename,
  RequestControl,
  SearchAnswer,
  SearchRequest,
  WriteAnswer,
} from './directory.js';
import type { LdapFilter } from './ldap-filter.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** Operations of the directory for one request of the gateway, each with its line in the request's trace. */
export class Calls {
  constructor(
    readonly directory: Directory,
    readonly context: OperationContext,
    private readonly pageSize: number,
  ) {}

  /**
   * All entries: one round trip where they fit one page, else all pages over a connection of their own.
   * @param entity for the trace, which names no DN
   */
  async all(entity: string, request: Omit<SearchRequest, 'page'>): Promise<readonly Entry[]> {
    const first = await this.firstPage(entity, request, this.pageSize);
    if (first.cookie === undefined) return first.entries;
    const entries: Entry[] = [];
    for await (const page of this.pages(entity, request)) entries.push(...page.entries);
    return entries;
  }

  async *pages(entity: string, request: Omit<SearchRequest, 'page'>): AsyncGenerator<SearchAnswer> {
    const startedAt = performance.now();
    try {
      yield* this.directory.searchPages(request, this.pageSize, this.context);
    } finally {
      this.trace(`search ${entity}, all pages: ${shapeOf(request.filter)}`, startedAt);
    }
  }

  /** A search that is expected to give an entry or two. */
  search(entity: string, request: Omit<SearchRequest, 'page'>): Promise<SearchAnswer> {
    return this.timed(`search ${entity}: ${shapeOf(request.filter)}`, () =>
      this.directory.search(request, this.context),
    );
  }

  /** `cookie` is set when there is more than one page; it leads nowhere. */
  async firstPage(entity: string, request: Omit<SearchRequest, 'page'>, size: number): Promise<SearchAnswer> {
    const hasPages = this.directory.server?.features.paging !== false;
    const page = hasPages ? { page: { size } } : {};
    return this.timed(`search ${entity}: ${shapeOf(request.filter)}`, () =>
      this.directory.search({ ...request, ...page }, this.context),
    );
  }

  /** The entry of that name, if it meets the filter. */
  async base(
    entity: string,
    dn: string,
    filter: LdapFilter,
    attributes: readonly string[],
    controls: readonly RequestControl[] = [],
  ): Promise<Entry | undefined> {
    const request = { base: dn, scope: 'base', filter, attributes, controls } as const;
    const { entries } = await this.timed(`read ${entity}: ${shapeOf(filter)}`, () =>
      this.directory.search(request, this.context),
    );
    return entries[0];
  }

  /** Entries by their names, side by side; those that are not there or do not meet the filter are left out. */
  bases(
    entity: string,
    dns: readonly string[],
    filter: LdapFilter,
    attributes: readonly string[],
  ): Promise<readonly Entry[]> {
    const read = async (base: string): Promise<readonly Entry[]> => {
      try {
        const request = { base, scope: 'base', filter, attributes } as const;
        return (await this.directory.search(request, this.context)).entries;
      } catch (error) {
        if (hasResultCode(error, resultCode.noSuchObject, resultCode.invalidDnSyntax)) return [];
        throw error;
      }
    };
    return this.timed(`read ${dns.length} of ${entity} by name: ${shapeOf(filter)}`, async () =>
      (await Promise.all(dns.map(read))).flat(),
    );
  }

  add(
    entity: string,
    dn: string,
    attributes: readonly Attribute[],
    controls: readonly RequestControl[],
  ): Promise<WriteAnswer> {
    const names = attributes.map(({ name }) => name).join(', ');
    return this.timed(`add in ${entity}: ${names}`, () => this.directory.add(dn, attributes, controls, this.context));
  }

  modify(
    entity: string,
    dn: string,
    modifications: readonly Modification[],
    controls: readonly RequestControl[],
  ): Promise<WriteAnswer> {
    const what = modifications.map(({ op, name, values }) => `${op} ${name} (${values.length})`).join(', ');
    return this.timed(`modify ${entity}: ${what}`, () =>
      this.directory.modify(dn, modifications, controls, this.context),
    );
  }

  rename(entity: string, dn: string, rename: Rename, controls: readonly RequestControl[]): Promise<WriteAnswer> {
    const what = rename.newSuperior === undefined ? 'rename' : 'move';
    return this.timed(`${what} ${entity}`, () => this.directory.modifyDn(dn, rename, controls, this.context));
  }

  delete(entity: string, dn: string, controls: readonly RequestControl[]): Promise<WriteAnswer> {
    return this.timed(`delete from ${entity}`, () => this.directory.delete(dn, controls, this.context));
  }

  compare(entity: string, dn: string, attribute: string, value: AttributeValue): Promise<boolean> {
    return this.timed(`compare ${entity}: ${attribute}`, () =>
      this.directory.compare(dn, attribute, value, this.context),
    );
  }

  setPassword(entity: string, dn: string, password: string): Promise<void> {
    return this.timed(`set password in ${entity}`, () => this.directory.passwordModify(dn, password, this.context));
  }

  private async timed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      this.trace(operation, startedAt);
    }
  }

  private trace(operation: string, startedAt: number): void {
    this.context.trace?.({ operation, durationMs: performance.now() - startedAt });
  }
}
