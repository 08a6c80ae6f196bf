import { AdapterError } from '../../src/backend/adapter-error.js';
import { adapterErrorOf } from './wire-errors.js';

/** So often what follows a write is tried. */
const maxTries = 3;

/**
 * What is done when a write has been carried out, and can be done again. A failure there is not to be taken for one of the
 * write, which would then be made a second time.
 */
export async function afterWrite<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const known = adapterErrorOf(error);
      if (!(known instanceof AdapterError) || known.applied !== 'no') throw error;
      if (known.kind !== 'unavailable' && known.kind !== 'timeout') throw error;
      if (known.kind === 'unavailable' && tries < maxTries) continue;
      const { kind, message, retryAfterSeconds, cause } = known;
      const again = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
      throw new AdapterError(kind, message, { ...again, applied: 'unknown', cause });
    }
  }
}
