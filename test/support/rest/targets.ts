import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { restConfigSchema } from '../../../adapters/rest/config.js';
import { validator } from '../../../config/validator.js';
import { repositoryRoot, type TestServer } from '../gateway.js';
import { startServer } from '../in-process-server.js';
import { startCursorTarget } from './cursor-target.js';
import type { HttpTarget } from './http-target.js';
import { startLinkTarget } from './link-target.js';
import { startPageTarget } from './page-target.js';
import type { Staff } from './staff.js';

export const restStyles = ['page', 'cursor', 'link'] as const;
export type RestStyle = (typeof restStyles)[number];

/** A running target of one of the styles, and the gateway.yaml that declares it. */
export interface RestTarget extends HttpTarget {
  readonly style: RestStyle;
  readonly staff: Staff;
  /** What must stand in no log, error, transaction or metric. */
  readonly secret: string;
  /** The text of a gateway.yaml, which reads the secret from the environment. */
  readonly config: string;
  /** Where people and groups are. */
  readonly paths: Readonly<Record<'people' | 'groups', string>>;
  /** Where there are tokens: none that was issued so far is taken any more. */
  expireTokens?(): void;
}

interface Started extends HttpTarget {
  readonly staff: Staff;
  readonly secret: string;
  readonly places: Readonly<Record<string, string>>;
  readonly paths: RestTarget['paths'];
  expireTokens?(): void;
}

const starters: Readonly<Record<RestStyle, () => Promise<Started>>> = {
  page: async () => {
    const target = await startPageTarget();
    const paths = { people: '/api/v1/users', groups: '/api/v1/teams' };
    return { ...target, secret: target.token, places: { BASE_URL: target.baseUrl }, paths };
  },
  cursor: async () => {
    const target = await startCursorTarget();
    const { baseUrl, tokenUrl, clientId } = target;
    const places = { BASE_URL: baseUrl, TOKEN_URL: tokenUrl, CLIENT_ID: clientId };
    return { ...target, secret: target.clientSecret, places, paths: { people: '/v2/people', groups: '/v2/groups' } };
  },
  link: async () => {
    const target = await startLinkTarget();
    const paths = { people: '/rest/accounts', groups: '/rest/roles' };
    return { ...target, secret: target.apiKey, places: { BASE_URL: target.baseUrl }, paths };
  },
};

export async function startRestTarget(style: RestStyle): Promise<RestTarget> {
  const { places, ...target } = await starters[style]();
  const text = readFileSync(join(repositoryRoot, 'test/transcripts/rest', `${style}.yaml`), 'utf8');
  const config = Object.entries(places).reduce((filled, [name, value]) => filled.replace(name, value), text);
  return { ...target, style, config };
}

/** The adapter's section, checked and completed as the gateway does it. */
export function restSection({ config, secret }: Pick<RestTarget, 'config' | 'secret'>): unknown {
  const text = config.replace(/\$\{env:TEST_REST_SECRET\}/, secret);
  const section: unknown = (parse(text) as { readonly adapters: { readonly target: unknown } }).adapters.target;
  const validate = validator().compile(restConfigSchema);
  if (!validate(section)) throw new Error(JSON.stringify(validate.errors));
  return section;
}

/** A gateway over a target. @param adapterLines further lines of the adapter's section: `timeoutMs: 1000` */
export async function startRestGateway(
  { config, secret }: Pick<RestTarget, 'config' | 'secret'>,
  adapterLines: readonly string[] = [],
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'scimbridge-rest-'));
  process.env.TEST_REST_SECRET = secret;
  const lines = adapterLines.map((line) => `    ${line}\n`).join('');
  const text = config.replace(/^ {4}type: rest\n/m, (type) => type + lines);
  const server = await startServer({ config: text, baseDir: folder }).catch((error: unknown) => {
    rmSync(folder, { recursive: true });
    throw error;
  });
  return {
    ...server,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
