import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface FileWatch {
  close(): void;
}

/** Files that are being written are looked at again so soon, until they hold still. */
const settleMs = 500;

/**
 * Looks whether files have other contents than before, by reading them: symbolic links that are swapped (as Kubernetes
 * does), network drives and editors that replace files all count, and a file that was only touched does not. A change is
 * told when two looks in turn saw the same, so that none of a half-written file, or of half a pair, is. A file that goes
 * or comes has changed, too. The timer keeps no process alive.
 * @param files asked for at each look; a file that is new in the list is first told about when it changes after that, or
 * when it is not as `known` says
 * @param onChange must not throw
 * @param known SHA-256 in hex of what the files held when they were used, undefined for those that were missing
 */
export function watchFiles(
  files: () => readonly string[],
  onChange: (changed: readonly string[]) => void,
  everyMs = 5000,
  known: () => Looked = () => new Map(),
): FileWatch {
  let told: Looked | undefined;
  let last: Looked | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const look = async (): Promise<void> => {
    const seen = await hashAll(files());
    if (isClosed) return;
    const hasSettled = last === undefined || isSame(last, seen);
    last = seen;
    if (hasSettled) {
      const before = new Map([...known(), ...(told ?? [])]);
      told = seen;
      const changed = [...seen].filter(([file, hash]) => before.has(file) && before.get(file) !== hash);
      if (changed.length > 0) onChange(changed.map(([file]) => file));
    }
    if (!isClosed) timer = setTimeout(look, hasSettled ? everyMs : Math.min(everyMs, settleMs)).unref();
  };

  void look();
  return {
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** The hash of what each file holds; undefined where it cannot be read. */
type Looked = ReadonlyMap<string, string | undefined>;

async function hashAll(files: readonly string[]): Promise<Looked> {
  return new Map(await Promise.all(files.map(async (file) => [file, await hash(file)] as const)));
}

async function hash(file: string): Promise<string | undefined> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch {
    return undefined;
  }
}

function isSame(one: Looked, other: Looked): boolean {
  if (one.size !== other.size) return false;
  for (const [file, hash] of one) if (!other.has(file) || other.get(file) !== hash) return false;
  return true;
}
