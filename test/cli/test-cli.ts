import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAdapterModules } from '../../adapters/registry.js';
import { loadConfig } from '../../config/load.js';
import { formatProblem } from '../../config/problem.js';
import { addCheck } from '../../src/cli/check.js';
import { runCli } from '../../src/cli/cli.js';
import { addClient } from '../../src/cli/client.js';
import { addDoctor } from '../../src/cli/doctor.js';
import { addGatewayCommand } from '../../src/cli/gateway-command.js';
import { addLog } from '../../src/cli/log-command.js';
import { addServe } from '../../src/cli/serve.js';
import { addStatus } from '../../src/cli/status.js';
import { addToken } from '../../src/cli/token.js';
import { compileGateway } from '../../src/composition.js';
import { openTransactionsFile } from '../../src/transactions/sqlite/transactions-file.js';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line in a folder of its own, without a process of its own. */
export class TestCli {
  readonly folder = mkdtempSync(join(tmpdir(), 'cli-'));
  readonly dataDir = join(this.folder, 'data');
  isTTY = false;
  stdout = '';
  stderr = '';
  #stop: (signal: string) => void = () => undefined;
  #reload: () => void = () => undefined;
  #running: Promise<number> | undefined;

  async run(...args: readonly string[]): Promise<Finished> {
    this.stdout = '';
    this.stderr = '';
    const code = await this.#start(args);
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** Starts to serve on a free port, and gives its URL once that is known. */
  async serve(...args: readonly string[]): Promise<string> {
    this.stdout = '';
    const withPlace = ['serve', '--listen', '127.0.0.1:0', '--data', this.dataDir, ...args];
    let ended = false;
    this.#running = this.#start(withPlace).finally(() => {
      ended = true;
    });
    for (;;) {
      const port = /\bport\W+(\d+)/.exec(this.stdout)?.[1];
      if (port !== undefined) return `http://127.0.0.1:${port}`;
      if (ended) throw new Error(`It ended: ${this.stderr}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async stop(signal = 'SIGTERM'): Promise<Finished> {
    this.#stop(signal);
    const code = (await this.#running) ?? -1;
    this.#running = undefined;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** As SIGHUP does. */
  reload(): void {
    this.#reload();
  }

  write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text);
    return file;
  }

  async end(): Promise<void> {
    if (this.#running !== undefined) await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #start(args: readonly string[]): Promise<number> {
    return runCli(args, [addCheck, addServe, addToken, addClient, addGatewayCommand, addStatus, addLog, addDoctor], {
      version: '1.2.3',
      stdout: { write: (text) => (this.stdout += text), isTTY: this.isTTY },
      stderr: { write: (text) => (this.stderr += text) },
      configure,
      builtInModules: loadAdapterModules,
      formatProblem,
      stopRequested: () =>
        new Promise((resolve) => {
          this.#stop = resolve;
        }),
      onReloadRequest: (listener) => {
        this.#reload = listener;
        return () => undefined;
      },
    });
  }
}

/** What operators did, oldest first. */
export function recordedActs(dataDir: string): readonly unknown[] {
  const db = openTransactionsFile(dataDir);
  try {
    return db.prepare("SELECT gateway, operation, caller, meant FROM transactions WHERE outcome = 'act'").all();
  } finally {
    db.close();
  }
}

async function configure(file: string | undefined, texts?: ReadonlyMap<string, string>) {
  const modules = await loadAdapterModules();
  const adapterSchemas = new Map([...modules].map(([type, module]) => [type, module.configSchema]));
  const loaded = loadConfig({
    ...(file === undefined ? {} : { file }),
    ...(texts === undefined ? {} : { texts }),
    adapterSchemas,
  });
  const plans = new Map((loaded.draft?.gateways ?? []).map((gateway) => [gateway.id, compileGateway(gateway).plans]));
  return { ...loaded, plans, modules };
}
