import { AdapterError, type AdapterErrorDetails } from './adapter-error.js';

/**
 * An adapter broke its contract: it threw what it should not, or answered nonsense. Made by the gateway, never by an
 * adapter. The caller is told 500, as neither the request nor the backend is to blame.
 */
export class AdapterFault extends AdapterError {
  constructor(message: string, details: Pick<AdapterErrorDetails, 'applied' | 'cause'> = {}) {
    super('unsupported', message, details);
  }
}
