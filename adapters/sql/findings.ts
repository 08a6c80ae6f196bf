import type { InspectionProblem } from '../../src/backend/adapter.js';

/** A place in the adapter's section of the configuration. */
export type Path = readonly (string | number)[];

/** Gathers problems with the places of the configuration that they are about. */
export class Findings {
  readonly problems: InspectionProblem[] = [];

  error(configPath: Path, message: string): void {
    this.problems.push({ severity: 'error', configPath, message });
  }

  warning(configPath: Path, message: string): void {
    this.problems.push({ severity: 'warning', configPath, message });
  }
}
