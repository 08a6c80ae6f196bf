import type { Attribute } from '../scim/schema.js';
import type { Codec } from './codec.js';
import { accountStateDefinitions } from './codecs/account-state.js';
import { appRoleDefinition } from './codecs/app-role.js';
import type { CodecDefinition } from './codecs/definition.js';
import { identityCodec, identityDefinitions } from './codecs/identity.js';
import { instantDefinitions } from './codecs/instants.js';
import { CodecOptions } from './codecs/options.js';
import { tableDefinitions } from './codecs/tables.js';
import { textDefinitions } from './codecs/texts.js';
import { byNearness } from './nearness.js';

const definitions: ReadonlyMap<string, CodecDefinition> = new Map(
  [
    ...identityDefinitions,
    ...instantDefinitions,
    ...tableDefinitions,
    ...textDefinitions,
    ...accountStateDefinitions,
    appRoleDefinition,
  ].map((definition) => [definition.name, definition]),
);

/** The names that a rule's `codec` may have. */
export const codecNames: readonly string[] = [...definitions.keys()];

export type CodecConfig = string | { readonly name: string; readonly [option: string]: unknown };

/**
 * The codec of a rule; without one, that of the attribute's type.
 * @param multiple the field holds many values
 * @returns the codec, or what is wrong with the configuration, in sentences
 */
export function createCodec(
  config: CodecConfig | undefined,
  attribute: Attribute,
  multiple: boolean,
): { readonly codec?: Codec; readonly problems: readonly string[] } {
  if (config === undefined) return { codec: identityCodec(attribute.type), problems: [] };
  const { name, ...given } = typeof config === 'string' ? { name: config } : config;
  const definition = definitions.get(name);
  if (definition === undefined) {
    return { problems: [`There is no codec "${name}". Codecs are ${byNearness(name, codecNames).join(', ')}.`] };
  }
  const options = new CodecOptions(name, given);
  for (const option of Object.keys(given)) {
    if (definition.options.includes(option)) continue;
    const known = byNearness(option, definition.options);
    options.problem(
      known.length === 0
        ? `it has no options, so no "${option}".`
        : `it has no option "${option}", but ${known.join(', ')}.`,
    );
  }
  if (!definition.attributeTypes.includes(attribute.type)) {
    const types = definition.attributeTypes.join(', ');
    options.problem(`it is for attributes of type ${types}; "${attribute.path}" is of type ${attribute.type}.`);
  }
  const codec = definition.create({ attribute, multiple, options });
  return codec === undefined || options.problems.length > 0 ? { problems: options.problems } : { codec, problems: [] };
}
