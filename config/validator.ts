import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/** Checks data against a JSON Schema and fills in defaults, in place. Errors carry what plain messages need. */
export interface Validator {
  /** @throws Error when the schema itself is wrong */
  compile(schema: object): ValidateFunction;
}

let shared: Ajv | undefined;

/** One for all, since it keeps what it compiled: a configuration that is read again needs no new compilation. */
export function validator(): Validator {
  // Not strict: adapters from elsewhere bring their own schemas, whose style is theirs.
  shared ??= addFormats.default(new Ajv({ allErrors: true, verbose: true, useDefaults: true, strict: false }));
  return shared;
}
