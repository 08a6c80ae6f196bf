/** What happened to the watched file since the answer before. */
export interface Answer {
  readonly writes: number;
  readonly syncs: number;
  /** Nothing was written to the file after it had last been synchronised. */
  readonly isSynced: boolean;
}

const call = /^(\d+)\s+(write|pwrite64|fdatasync|fsync)\((\d+)<([^>]*)>(?:, (.*))?/;
const resumed = /^(\d+)\s+<\.\.\. (write|pwrite64|fdatasync|fsync) resumed>/;

/**
 * Reads the output of `strace -f -y`: for every answer, a write to standard output that starts so, what was done to the
 * file before. A call counts when it begins, but a synchronisation when it has ended without an error.
 */
export function syncedBefore(trace: string, file: RegExp, answer: RegExp): readonly Answer[] {
  const answers: Answer[] = [];
  const syncing = new Set<string>();
  let writes = 0;
  let syncs = 0;
  let isSynced = true;
  const finishSync = (line: string): void => {
    if (!line.trimEnd().endsWith('= 0')) return;
    syncs += 1;
    isSynced = true;
  };
  for (const line of trace.split('\n')) {
    const [, resumedThread = ''] = resumed.exec(line) ?? [];
    if (syncing.delete(resumedThread)) finishSync(line);
    const [, thread = '', name, descriptor, path = '', rest = ''] = call.exec(line) ?? [];
    if (name === undefined) continue;
    if (file.test(path)) {
      if (name === 'fdatasync' || name === 'fsync') {
        if (line.includes('<unfinished')) syncing.add(thread);
        else finishSync(line);
      } else {
        writes += 1;
        isSynced = false;
      }
    } else if (name === 'write' && descriptor === '1' && answer.test(rest)) {
      answers.push({ writes, syncs, isSynced });
      writes = 0;
      syncs = 0;
    }
  }
  return answers;
}
