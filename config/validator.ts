import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/** Checks data against a JSON Schema and fills in defaults, in place. Errors carry what plain messages need. */
export interface Validator {
  /** @throws Error when the schema itself is wrong */
  compile(schema: object): ValidateFunction;
}

export function createValidator(): Validator {
  // Not strict: adapters from elsewhere bring their own schemas, whose style is theirs.
  const ajv = new Ajv({ allErrors: true, verbose: true, useDefaults: true, strict: false });
  addFormats.default(ajv);
  return ajv;
}
