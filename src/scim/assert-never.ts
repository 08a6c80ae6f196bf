/** Makes a forgotten case of a closed union a compile error, and a wrong value at run time an exception. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
