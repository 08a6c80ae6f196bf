/**
 * Runs in Node's thread for module hooks: modules that import `scimbridge/…` where no such package is installed get that of
 * the program that loads them. One that is installed beside them goes first.
 */
let entries: Readonly<Record<string, string>> = {};

/** @param data URL of the file behind each name */
export function initialize(data: Readonly<Record<string, string>>): void {
  entries = data;
}

export async function resolve(
  specifier: string,
  context: unknown,
  nextResolve: (specifier: string, context: unknown) => Promise<unknown>,
): Promise<unknown> {
  const own = entries[specifier];
  if (own === undefined) return nextResolve(specifier, context);
  try {
    return await nextResolve(specifier, context);
  } catch {
    return { url: own, format: 'module', shortCircuit: true };
  }
}
