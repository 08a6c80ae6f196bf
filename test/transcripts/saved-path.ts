const step = /\.([A-Za-z_$][\w$-]*)|\[(\d+)\]|\['([^']*)'\]/y;

/**
 * The value at a path of a transcript: `$`, then `.name`, `[0]` and `['name with : or .']`.
 * @throws Error when the path is malformed or leads nowhere
 */
export function valueAt(path: string, root: unknown): unknown {
  if (!path.startsWith('$')) throw new Error(`A path starts with "$": ${path}`);
  let value = root;
  step.lastIndex = 1;
  while (step.lastIndex < path.length) {
    const at = step.lastIndex;
    const match = step.exec(path);
    if (match === null) throw new Error(`The path ${path} is malformed at ${path.slice(at)}.`);
    const key = match[1] ?? match[2] ?? match[3] ?? '';
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    if (value === undefined) throw new Error(`Nothing at ${path.slice(0, step.lastIndex)} to save.`);
  }
  return value;
}
