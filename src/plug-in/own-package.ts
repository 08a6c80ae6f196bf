import { register } from 'node:module';

let isOffered = false;

/** From now on `scimbridge/adapter` and `scimbridge/testing` can be imported from everywhere in this process. */
export function offerOwnPackage(): void {
  if (isOffered) return;
  isOffered = true;
  const url = (path: string): string => new URL(path, import.meta.url).href;
  const data = {
    'scimbridge/adapter': url('../authoring/adapter.js'),
    'scimbridge/testing': url('../authoring/testing.js'),
  };
  register('./own-package-hook.js', import.meta.url, { data });
}
