import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { FromSchema } from 'json-schema-to-ts';
import { AdapterError } from '../src/backend/adapter-error.js';

const fileName = { type: 'string', minLength: 1 } as const;

/** The schema of a section `tls`, for every adapter that encrypts. @param example a host name, as such backends have them */
export function tlsSchema(description: string, example: string) {
  return {
    type: 'object',
    additionalProperties: false,
    description: `${description} Files are relative to the folder of gateway.yaml.`,
    properties: {
      ca: {
        ...fileName,
        description: 'Certificates (PEM) of the authorities to trust, instead of the well-known ones.',
      },
      certificate: { ...fileName, description: "The gateway's own certificate (PEM), with its chain." },
      key: { ...fileName, description: "The certificate's private key (PEM)." },
      passphrase: { type: 'string', minLength: 1, description: 'What the key is encrypted with.' },
      serverName: {
        type: 'string',
        minLength: 1,
        description: "The name in the server's certificate, where it isn't that of the URL.",
        examples: [example],
      },
      minVersion: { enum: ['TLSv1.2', 'TLSv1.3'], default: 'TLSv1.2' },
      verify: {
        type: 'boolean',
        default: true,
        description:
          'False accepts any certificate: whoever is in between reads and changes everything. For tests only.',
      },
    },
    dependencies: { certificate: ['key'], key: ['certificate'], passphrase: ['key'] },
  } as const;
}

export type TlsSection = FromSchema<ReturnType<typeof tlsSchema>>;

/** What `tls.connect` takes of the section. */
export interface TlsSettings {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly rejectUnauthorized: boolean;
}

/** Reads the section's files. @throws AdapterError `unsupported` when one cannot be read */
export async function readTlsSection(tls: Partial<TlsSection> | undefined, baseDir: string): Promise<TlsSettings> {
  const file = async (key: 'ca' | 'certificate' | 'key'): Promise<Buffer | undefined> => {
    const name = tls?.[key];
    if (name === undefined) return undefined;
    try {
      return await readFile(resolve(baseDir, name));
    } catch (error) {
      throw new AdapterError('unsupported', `The file that "tls.${key}" names cannot be read.`, { cause: error });
    }
  };
  const [ca, cert, key] = await Promise.all([file('ca'), file('certificate'), file('key')]);
  return {
    minVersion: tls?.minVersion ?? 'TLSv1.2',
    rejectUnauthorized: tls?.verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls?.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}
