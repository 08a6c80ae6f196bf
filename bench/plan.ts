/** How much is measured. */
export interface Plan {
  /** Users in the store for the throughput measures. */
  readonly users: number;
  /** Users in the store for the measures of size, and members of the large group. */
  readonly manyUsers: number;
  readonly connections: readonly number[];
  readonly rounds: number;
  /** Of one side's turn. */
  readonly roundMs: number;
  /** Of one side's turn, where every request adds a user: both stores are to grow alike. */
  readonly createsPerRound: number;
  readonly warmUpMs: number;
  /** Repetitions of measures that take single requests. */
  readonly samples: number;
  /** Pages read before the memory is measured. */
  readonly warmUpPages: number;
  readonly starts: number;
}

export const fullPlan: Plan = {
  users: 10_000,
  manyUsers: 100_000,
  connections: [1, 16, 64],
  rounds: 9,
  roundMs: 1000,
  createsPerRound: 500,
  warmUpMs: 3000,
  samples: 200,
  warmUpPages: 1000,
  starts: 7,
};

/** Tells whether everything runs; the figures mean nothing. */
export const quickPlan: Plan = {
  users: 500,
  manyUsers: 2000,
  connections: [1, 16, 64],
  rounds: 1,
  roundMs: 150,
  createsPerRound: 64,
  warmUpMs: 200,
  samples: 10,
  warmUpPages: 10,
  starts: 1,
};
