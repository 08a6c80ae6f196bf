import { AdapterError } from '../../src/backend/adapter-error.js';
import type { DraftedType } from '../../src/backend/draft.js';
import type { Entry } from './directory.js';
import { isSameDn, resolveDn, tryParseDn } from './dn.js';
import type { Surroundings } from './draft.js';
import { isThere, namedContainer, type Place, placeOf, type Survey, survey, without } from './draft-survey.js';
import { parseFilter } from './filter-parser.js';
import type { ServerProfile } from './server-kind.js';

export interface Kind {
  readonly type: DraftedType;
  readonly filter: string;
  /** What units of that kind are called, the likeliest first. */
  readonly names: readonly string[];
}

export interface Located {
  readonly place: Place;
  readonly survey: Survey;
}

/** So few in a domain's own container, which every domain has, say nothing. */
const fewInDefault = 10;

/** Where entries of the kind are: where most of those that exist lie, else in a unit of a name for such. */
export async function locate(around: Surroundings, kind: Kind): Promise<Located | undefined> {
  const { calls, base, server, request, found } = around;
  const filter = parseFilter(kind.filter);
  const said = request.places[kind.type];
  const root = said === undefined ? base : resolveDn(checked(said), base);
  const all = await survey(calls, root, filter, (entry) => isOwn(entry, request.account));
  const word = kind.type === 'User' ? 'People' : 'Groups';
  if (said !== undefined) {
    const into = placeOf(all, root)?.into ?? root;
    found.push(`${word}: ${counted(all)} in ${root}.`);
    return { place: { base: root, into, outside: 0 }, survey: all };
  }
  const own = isDomain(server) ? without(all, `CN=Users,${base}`) : all;
  const named =
    all.total - own.total <= fewInDefault || all.total === 0
      ? await namedContainer(calls, base, kind.names)
      : undefined;
  const counts = all.total - own.total <= fewInDefault && (own.total > 0 || named !== undefined) ? own : all;
  const place = placeOf(counts, base) ?? (named === undefined ? undefined : { base: named, into: named, outside: 0 });
  if (place === undefined) return undefined;
  found.push(
    `${word}: ${counted(counts)} in ${place.base}${place.outside > 0 ? `; ${place.outside} of them elsewhere` : ''}.`,
  );
  return { place, survey: counts };
}

function counted({ total, isCut }: Survey): string {
  return isCut ? `more than ${total}` : total === 0 ? 'none yet' : String(total);
}

function checked(dn: string): string {
  if (tryParseDn(dn) === undefined) throw new AdapterError('unsupported', `"${dn}" is no distinguished name.`);
  return dn;
}

/** The gateway's own account is nobody to provision. */
function isOwn({ dn, attributes }: Entry, account: string | undefined): boolean {
  if (account === undefined) return false;
  if (isSameDn(dn, account)) return true;
  const lower = account.toLowerCase().replace(/^.*\\/, '');
  return ['userprincipalname', 'samaccountname'].some((name) =>
    (attributes.get(name) ?? []).some((value) => String(value).toLowerCase() === lower),
  );
}

/** Of the attributes, the first that the schema has and that no entry of the kind has a value in. */
export async function firstFree(
  { calls, server }: Surroundings,
  base: string,
  filter: string,
  attributes: readonly string[],
): Promise<string | undefined> {
  for (const name of attributes) {
    if (server.schema.attribute(name) === undefined) continue;
    const used = await isThere(calls, base, parseFilter(`(&${filter}(${name}=*))`));
    if (!used) return name;
  }
  return undefined;
}

export function isDomain(server: ServerProfile): boolean {
  return server.kind === 'active-directory';
}
