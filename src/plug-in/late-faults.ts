import { fileURLToPath } from 'node:url';
import type { AdapterLog, AdapterModule } from '../backend/adapter.js';
import { plugInFile } from './contained-module.js';
import { readThrown } from './thrown.js';

/** The folder of the compiled program: `dist/`, or the repository's root. */
const ownFolder = fileURLToPath(new URL('../../', import.meta.url));

/**
 * What others' adapters let go wrong when nobody waits for it: a promise that is rejected later, an exception in a timer or
 * a socket's listener. Node would end the process; here it is a line in the log, as long as no code of our own is concerned
 * and there is such an adapter.
 * @param modules those that are loaded, asked for at each fault
 * @returns what ends that
 */
export function containLateFaults(modules: () => Iterable<AdapterModule>, log: AdapterLog): () => void {
  const onFault = (thrown: unknown, event: 'uncaughtException' | 'unhandledRejection'): void => {
    const files = [...modules()].flatMap((module) => {
      const file = plugInFile(module);
      return file === undefined ? [] : [{ type: module.type, file }];
    });
    const fault = readThrown(thrown);
    const stack = fault.stack ?? '';
    if (files.length === 0 || isOurs(stack)) {
      // As if nobody listened here.
      if (process.listenerCount(event) > 1) return;
      throw thrown;
    }
    const named = files.filter(({ file }) => stack.includes(file));
    const adapter = (named.length > 0 ? named : files).map(({ type }) => type).join(' or ');
    log.error(
      { adapter, operation: 'none', fault },
      event === 'unhandledRejection'
        ? 'The adapter left a rejected promise to nobody, which is a fault in it.'
        : 'The adapter threw outside of any operation, which is a fault in it.',
    );
  };
  const onRejection = (reason: unknown): void => onFault(reason, 'unhandledRejection');
  const onException = (error: unknown): void => onFault(error, 'uncaughtException');
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
}

/** Whether nobody but our own code was at work: of Node's own places nothing follows. */
function isOurs(stack: string): boolean {
  const places = stack.split('\n').filter((line) => /^\s+at /.test(line) && !/\bnode:|<anonymous>/.test(line));
  const isOwn = (place: string): boolean => place.includes(ownFolder) && !place.includes('node_modules');
  return places.length > 0 && places.every(isOwn);
}
