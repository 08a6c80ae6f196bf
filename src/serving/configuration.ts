import type { GatewayConfig } from '../../config/gateway-config.js';
import type { LoadResult } from '../../config/load.js';
import type { Problem } from '../../config/problem.js';
import type { AdapterModule } from '../backend/adapter.js';
import type { MappingPlan } from '../mapping/plan.js';

/** A configuration, as far as it could be read, with everything that was found wrong. */
export interface Configuration {
  /** Undefined when a problem is an error. */
  readonly config: GatewayConfig | undefined;
  /** What could be read in spite of errors. Not to be run. */
  readonly draft: GatewayConfig | undefined;
  /** By gateway, then by resource type. */
  readonly plans: ReadonlyMap<string, ReadonlyMap<string, MappingPlan>>;
  /** Those of the files and those of the mappings. */
  readonly problems: readonly Problem[];
  readonly sources: LoadResult['sources'];
  readonly texts: LoadResult['texts'];
  /** Absolute: every file on which it depends, also those that are missing. */
  readonly files: LoadResult['files'];
  readonly fingerprints: LoadResult['fingerprints'];
  /** Adapter modules by type. */
  readonly modules: ReadonlyMap<string, AdapterModule>;
}

/** Where configurations come from. */
export interface ConfigurationReader {
  /** Reads and checks a configuration; the built-in one without a file. What stands in `texts` is not read again. */
  readonly configure: (file: string | undefined, texts?: LoadResult['texts']) => Promise<Configuration>;
  /** `gateway.yaml:12:7: error: …` */
  readonly formatProblem: (problem: Problem) => string;
}
