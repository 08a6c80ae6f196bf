import { type Extent, median, runLoad, type Work } from './load.js';
import type { Target } from './target.js';

export interface Side {
  readonly target: Target;
  readonly work: Work;
}

/** Medians of several rounds at one number of connections. */
export interface Comparison {
  readonly connections: number;
  readonly bare: SideResult;
  readonly gateway: SideResult;
  /** The gateway's throughput as a part of the bare handler's: the median of the rounds' own ratios. */
  readonly ratio: number;
  /** The lowest and the highest ratio of a round. */
  readonly range: readonly [lowest: number, highest: number];
}

export interface SideResult {
  readonly perSecond: number;
  readonly cpuMicros: number | undefined;
  readonly p99Ms: number;
}

export interface RoundOptions {
  readonly connections: number;
  readonly rounds: number;
  readonly extent: Extent;
}

/**
 * Both servers by turns, so that whatever else the machine does falls on both; the order changes from round to round.
 */
export function compare(bare: Side, gateway: Side, options: RoundOptions): Promise<Comparison> {
  const { connections, rounds, extent } = options;
  const runOn =
    ({ target, work }: Side) =>
    (): Promise<SideResult> =>
      runLoad(target, work, connections, extent);
  return takeTurns(runOn(bare), runOn(gateway), { connections, rounds });
}

export async function takeTurns(
  runBare: () => Promise<SideResult>,
  runGateway: () => Promise<SideResult>,
  { connections, rounds }: Omit<RoundOptions, 'extent'>,
): Promise<Comparison> {
  const results: { readonly bare: SideResult; readonly gateway: SideResult }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await runBare();
      results.push({ bare: first, gateway: await runGateway() });
    } else {
      const first = await runGateway();
      results.push({ bare: await runBare(), gateway: first });
    }
  }
  const ratios = results.map((result) => result.gateway.perSecond / result.bare.perSecond);
  return {
    connections,
    bare: medians(results.map((result) => result.bare)),
    gateway: medians(results.map((result) => result.gateway)),
    ratio: median(ratios),
    range: [Math.min(...ratios), Math.max(...ratios)],
  };
}

function medians(results: readonly SideResult[]): SideResult {
  const cpu = results.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
  return {
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    cpuMicros: cpu.length === 0 ? undefined : median(cpu),
    p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
  };
}
