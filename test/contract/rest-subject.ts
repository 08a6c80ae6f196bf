import type { RestConfig } from '../../adapters/rest/config.js';
import { restModule } from '../../adapters/rest/module.js';
import type { EntityUse } from '../../src/backend/adapter.js';
import { type RestStyle, restSection, startRestTarget } from '../support/rest/targets.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';

/**
 * The suite on a target of a style, with the adapter's section that the recorded conversations are held with too.
 * @param left fields of the suite that the target has no place for
 */
export async function describeRestContract(
  style: RestStyle,
  left: readonly string[],
  { name = style as string, edit = (text: string) => text } = {},
): Promise<void> {
  const target = await startRestTarget(style);
  const config = restSection({ ...target, config: edit(target.config) }) as RestConfig;
  const entities: readonly EntityUse[] = contractEntities.map((use) => ({
    ...use,
    fields: use.fields.filter(({ name }) => !left.includes(name)),
  }));
  describeAdapterContract(`rest, ${name}`, {
    entities,
    open: () => restModule.open(config, environmentIn('/', entities)),
    reset: async () => target.staff.clear(),
    close: () => target.close(),
  });
}
