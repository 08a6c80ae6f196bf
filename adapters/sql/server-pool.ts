import { setTimeout as delay } from 'node:timers/promises';
import type { OperationContext } from '../../src/backend/adapter.js';
import { Connections, type ConnectionsSettings, isOver, type Pooled } from './connections.js';
import { Lease } from './lease.js';
import type { SqlConnection, SqlPool } from './pool.js';

/** A transaction that collided with another is run again so often. */
const repetitions = 3;
const firstPauseMs = 10;

type Work<T> = (connection: SqlConnection) => Promise<T>;

/**
 * Carries out work on one server. A connection that is found dead before anything was asked of it is replaced unseen; what
 * was asked and cannot be known is never asked twice.
 */
export class ServerPool implements SqlPool {
  private readonly settings: ConnectionsSettings;
  private readonly connections: Connections;

  constructor(settings: ConnectionsSettings) {
    this.settings = settings;
    this.connections = new Connections(settings);
  }

  async read<T>(work: Work<T>, context: OperationContext): Promise<T> {
    const first = await this.connections.acquire(context);
    const wasUsed = !first.isNew;
    try {
      return await this.readOn(first, work, context);
    } catch (error) {
      // Reading twice harms nobody. A new connection that breaks at once says more than an old one.
      if (!(wasUsed && isOutdated(error)) || isOver(context)) throw unwrapped(error);
      return await this.readOn(await this.connections.acquire(context), work, context).catch((again: unknown) => {
        throw unwrapped(again);
      });
    }
  }

  async transaction<T>(work: Work<T>, context: OperationContext): Promise<T> {
    for (let tries = 1; ; tries++) {
      const lease = await this.begin(context);
      const wasUsed = !lease.pooled.isNew;
      try {
        const result = await work(lease);
        await lease.perform('commit');
        this.giveBack(lease);
        return result;
      } catch (error) {
        const verdict = lease.failure?.verdict;
        await this.undo(lease);
        if (verdict === 'lost' && wasUsed && !lease.hasAnswered && !lease.isCommitting && !isOver(context)) continue;
        const mayRepeat = verdict === 'again' || (verdict === 'stale' && tries === 1);
        if (!mayRepeat || lease.isCut || tries > repetitions || isOver(context)) throw error;
        await delay(Math.random() * firstPauseMs * 2 ** tries);
      }
    }
  }

  async check(context: OperationContext): Promise<void> {
    await this.read((connection) => connection.run({ text: 'SELECT 1', params: [] }), context);
  }

  close(): Promise<void> {
    return this.connections.close();
  }

  private async readOn<T>(pooled: Pooled, work: Work<T>, context: OperationContext): Promise<T> {
    const lease = this.lease(pooled, context);
    try {
      return await work(lease);
    } catch (error) {
      const verdict = lease.failure?.verdict;
      throw verdict === 'lost' || verdict === 'stale' ? new Outdated(error) : error;
    } finally {
      this.giveBack(lease);
    }
  }

  /** A connection on which a transaction has begun: that shows that it lives. */
  private async begin(context: OperationContext): Promise<WatchedLease> {
    for (;;) {
      const pooled = await this.connections.acquire(context);
      const wasUsed = !pooled.isNew;
      const lease = this.lease(pooled, context);
      try {
        await lease.perform('begin');
        return lease;
      } catch (error) {
        this.giveBack(lease);
        if (lease.failure?.verdict !== 'lost' || !wasUsed || isOver(context)) throw error;
      }
    }
  }

  private async undo(lease: WatchedLease): Promise<void> {
    if (!lease.isCut && lease.failure?.verdict !== 'lost') {
      try {
        await lease.perform('rollback');
      } catch {
        lease.stopWatching();
        if (!lease.isCut) this.connections.discard(lease.pooled, 'cut'); // The server undoes what is left there.
        return;
      }
    }
    this.giveBack(lease);
  }

  private lease(pooled: Pooled, context: OperationContext): WatchedLease {
    const { connections } = this;
    const lease = new WatchedLease(pooled, this.settings.driver, context, () => connections.discard(pooled, 'cut'));
    lease.stopWatching = connections.watch(lease);
    return lease;
  }

  private giveBack(lease: WatchedLease): void {
    lease.stopWatching();
    if (lease.isCut) return; // It has been discarded already.
    const verdict = lease.failure?.verdict;
    if (verdict === 'lost' || verdict === 'stale') {
      this.connections.discard(lease.pooled);
      this.connections.dropIdle();
    } else this.connections.release(lease.pooled);
  }
}

class WatchedLease extends Lease {
  stopWatching: () => void = () => undefined;
}

/** The connection was at fault, and not what was asked. */
class Outdated extends Error {
  constructor(cause: unknown) {
    super('', { cause });
  }
}

function isOutdated(error: unknown): boolean {
  return error instanceof Outdated;
}

function unwrapped(error: unknown): unknown {
  return error instanceof Outdated ? error.cause : error;
}
