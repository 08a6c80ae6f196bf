import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { Output } from './cli.js';

export interface Log {
  readonly logger: Logger;
  /** Writes what is still held back. */
  flush(): void;
}

/** The log: JSON lines, written without waiting where that is possible, or short lines for people on a terminal. */
export function createLog(level: string, output: Output): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (output.isTTY !== true && output.fd !== undefined) {
    const destination = pino.destination({ dest: output.fd, sync: false });
    return { logger: pino(options, destination), flush: () => destination.flushSync() };
  }
  const format = output.isTTY === true ? formatForPeople : (line: string): string => line;
  const logger = pino(options, { write: (line: string) => void output.write(format(line)) });
  return { logger, flush: () => undefined };
}

/** `09:30:01 INFO  Serving. gateway=corp` with a stack below it, if there is one. */
export function formatForPeople(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const shown = Object.entries(fields).map(([name, value]) => {
    return `${name}=${typeof value === 'string' && !value.includes(' ') ? value : JSON.stringify(value)}`;
  });
  const head = [String(time).slice(11, 19), String(level).toUpperCase().padEnd(5), msg, ...shown].join(' ');
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  return `${head}${stack}\n`;
}
