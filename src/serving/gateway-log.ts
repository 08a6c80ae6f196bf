import type { Logger } from 'pino';
import type { Gateway } from '../../config/gateway-config.js';
import type { ControlStore } from '../state/state.js';

type GatewayLevel = Gateway['level'];

/** Nested: warning holds errors, information holds warnings, debug holds all. */
const levels = { debug: 'debug', information: 'info', warning: 'warn' } as const satisfies Record<GatewayLevel, string>;

/**
 * The log of one gateway, at a level of its own, which an operator or a new configuration may change at any time. It
 * stays the same through all configurations, so that adapters that stay open follow too.
 */
export class GatewayLog {
  /** What the configuration says now; an operator's own setting goes before it. */
  configured: GatewayLevel;
  readonly #id: string;
  readonly #controls: Pick<ControlStore, 'get'>;
  readonly #logger: Logger;
  #level: GatewayLevel;

  constructor(parent: Logger, { id, level }: Pick<Gateway, 'id' | 'level'>, controls: Pick<ControlStore, 'get'>) {
    this.configured = level;
    this.#id = id;
    this.#controls = controls;
    this.#level = this.level;
    this.#logger = parent.child({ gateway: id }, { level: levels[this.#level] });
  }

  get level(): GatewayLevel {
    return this.#controls.get(this.#id).level ?? this.configured;
  }

  /** Always the same logger, at the level that holds now. To be asked for by each request. */
  get current(): Logger {
    const { level } = this;
    if (level !== this.#level) {
      this.#level = level;
      this.#logger.level = levels[level];
    }
    return this.#logger;
  }
}
