import type { TestGateway } from '../support/gateway.js';
import { list, read } from './resources.js';

/** What a schema says of an attribute. */
export interface Declaration {
  readonly name: string;
  readonly type: string;
  readonly description?: string;
  readonly canonicalValues?: readonly string[];
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly Declaration[];
  readonly [characteristic: string]: unknown;
}

/** All attributes of all schemas, sub-attributes too. */
export async function allDeclarations(gateway: TestGateway): Promise<readonly Declaration[]> {
  const schemas = (await list(gateway, '/Schemas')).Resources;
  return schemas.flatMap(({ attributes }) => withSubAttributes(attributes as readonly Declaration[]));
}

function withSubAttributes(attributes: readonly Declaration[]): readonly Declaration[] {
  return attributes.flatMap((attribute) => [attribute, ...withSubAttributes(attribute.subAttributes ?? [])]);
}

/** An attribute of a schema, or with a further name a sub-attribute. */
export async function declaration(
  gateway: TestGateway,
  schema: string,
  ...path: readonly string[]
): Promise<Declaration | undefined> {
  const { attributes } = await read(gateway, `/Schemas/${schema}`);
  let found: Declaration | undefined;
  let among = attributes as readonly Declaration[] | undefined;
  for (const name of path) {
    found = among?.find((candidate) => candidate.name === name);
    among = found?.subAttributes;
  }
  return found;
}
