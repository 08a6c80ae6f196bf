import { builtInText } from '../../config/built-in.js';
import type { TestGateway } from '../support/gateway.js';

/** The built-in configuration with HTTP Basic switched on, as PingFederate may need it. */
export const builtInWithBasic = builtInText.replace(/^( *)address: .*$/m, '$&\n$1auth: { basic: {} }');

export function basicOf({ token }: TestGateway): string {
  return Buffer.from(`scim:${token}`).toString('base64');
}
