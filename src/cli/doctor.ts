import { existsSync, readFileSync, statSync } from 'node:fs';
import { parseBasic } from '../auth/basic.js';
import { jwtShape, maxTokenLength, parseJwt } from '../auth/jwt-parse.js';
import { type AddCommand, type CliEnvironment, requireConfig, UsageError } from './cli.js';
import { type Diagnosis, diagnoseJwt } from './doctor-jwt.js';
import { diagnoseSecret, isGenerated } from './doctor-secret.js';
import { type PlaceOptions, withPlace } from './gateway-state.js';
import { statePlace } from './state-place.js';

interface Options extends PlaceOptions {
  readonly gateway?: string;
  readonly connect?: true;
  readonly showClaims?: true;
}

/** `doctor`: why a caller is refused, and what would let it in. */
export const addDoctor: AddCommand = (program, environment) => {
  const doctor = program.command('doctor').description('Find out why an identity provider is refused.');
  withPlace(doctor.command('token'))
    .description(
      'Examine a captured token: what it says, which checks it passes, which settings would take it. Its signature is never shown.',
    )
    .argument('[source]', 'a file that holds the token; "-" reads standard input, where it leaves no trace', '-')
    .option('--gateway <id>', 'hold it against this gateway only')
    .option('--connect', "fetch the issuers' keys and check the signature")
    .option('--show-claims', 'also show claims that may be personal')
    .action((source: string, options: Options) => examineToken(source, options, environment));
};

/** @throws Error when no gateway would take the token, for the exit code */
async function examineToken(source: string, options: Options, environment: CliEnvironment): Promise<void> {
  const { config } = await requireConfig(environment, options.config);
  const gateways = config.gateways.filter(({ id }) => options.gateway === undefined || id === options.gateway);
  if (gateways.length === 0) {
    const known = config.gateways.map(({ id }) => id).join(', ');
    throw new UsageError(`The configuration has no gateway "${options.gateway}", but ${known}.`);
  }
  const { scheme, value } = parseCredential(readSource(source, environment));
  const place = statePlace(config, options.data);
  const nowMs = Date.now();
  const diagnosis =
    scheme === 'basic'
      ? await examineBasic(value, { gateways, place, nowMs })
      : isGenerated(value)
        ? await diagnoseSecret(value, { gateways, place, nowMs })
        : await examineJwt(value, {
            gateways,
            baseDir: config.baseDir,
            connect: options.connect === true,
            showClaims: options.showClaims === true,
            nowMs,
          });
  environment.stdout.write(`${diagnosis.lines.join('\n').trimEnd()}\n`);
  if (!diagnosis.isTaken) throw new Error('No gateway would take it.');
}

/** The text itself is taken too, for those who have it in a variable anyway. */
function readSource(source: string, { stderr }: CliEnvironment): string {
  if (source === '-') return readFileSync(0, 'utf8');
  // A token has no business to be a file's name, nor can one as long be.
  if (source.length < 1024 && existsSync(source) && statSync(source).isFile()) return readFileSync(source, 'utf8');
  if (!/^[\w.=+/ :-]{20,}$/.test(source)) throw new UsageError(`There is no file "${source}".`);
  stderr.write('A token on the command line is seen by others on this machine: give it on standard input.\n');
  return source;
}

/** As it was captured: the token alone, `Bearer …`, or the whole header. */
function parseCredential(text: string): { readonly scheme: 'bearer' | 'basic'; readonly value: string } {
  const [, scheme = 'bearer', value = ''] =
    /^(?:authorization:\s*)?(?:(bearer|basic)\s+)?(\S+)$/i.exec(text.trim()) ?? [];
  if (value === '') throw new UsageError('A token is one word without spaces, or an Authorization header with one.');
  return { scheme: scheme.toLowerCase() === 'basic' ? 'basic' : 'bearer', value };
}

async function examineBasic(
  value: string,
  options: Pick<Parameters<typeof diagnoseSecret>[1], 'gateways' | 'place' | 'nowMs'>,
): Promise<Diagnosis> {
  const credentials = parseBasic(value);
  if (credentials === undefined || !isGenerated(credentials.password)) {
    return { lines: ['HTTP Basic whose password is no generated token.'], isTaken: false };
  }
  return diagnoseSecret(credentials.password, { ...options, basicUser: credentials.user });
}

async function examineJwt(value: string, options: Parameters<typeof diagnoseJwt>[2]): Promise<Diagnosis> {
  const shape = jwtShape(value.slice(0, maxTokenLength + 1));
  if (shape === 'other') return { lines: opaque(value, options), isTaken: false };
  if (shape === 'encrypted')
    return { lines: ['An encrypted token (JWE): only signed ones are taken.'], isTaken: false };
  if (value.length > maxTokenLength) {
    const line = `A JWT of ${value.length} characters: at most ${maxTokenLength} are taken. Have fewer groups or claims put into it.`;
    return { lines: [line], isTaken: false };
  }
  const token = parseJwt(value);
  if ('problem' in token) return { lines: [`Almost a JWT, but ${token.problem}.`], isTaken: false };
  return diagnoseJwt(value, token, options);
}

/** @see capabilities of bridges: a value in the secret field where a JWT is expected is what goes wrong most */
function opaque(value: string, { gateways }: Parameters<typeof diagnoseJwt>[2]): readonly string[] {
  const expecting = gateways.filter(({ auth }) => auth.jwt !== undefined).map(({ id }) => `"${id}"`);
  return [
    `An opaque token of ${value.length} characters: neither a JWT nor one that was generated here.`,
    ...(expecting.length === 0
      ? []
      : [
          `${expecting.join(' and ')} can take a JWT: with Entra ID that comes when the field "Secret Token" is left empty.`,
        ]),
  ];
}
