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
  readonly ldap: LdapPlan;
  readonly rest: RestPlan;
  readonly postgresql: PostgresqlPlan;
}

/** Of the part on a directory. */
export interface LdapPlan {
  readonly users: number;
  /** Of ten members each, beside one with all users. */
  readonly groups: number;
  readonly connections: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  /** Of one side's turn: members that are added and removed again. */
  readonly membersPerRound: number;
  /** The same for the group of all users. */
  readonly largePerRound: number;
  readonly createsPerRound: number;
  readonly warmUpMs: number;
  readonly samples: number;
  /** Whole imports, and cold pages. */
  readonly imports: number;
  /** Imports while the memory is watched. */
  readonly memoryWalks: number;
}

/** Of the part on a REST service. */
export interface RestPlan {
  readonly users: number;
  readonly connections: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly createsPerRound: number;
  readonly warmUpMs: number;
  /** Whole imports. */
  readonly imports: number;
}

/** Of the part on PostgreSQL. */
export interface PostgresqlPlan {
  /** All of them in one group, and the first ones in groups of ten. */
  readonly users: number;
  readonly groups: number;
  readonly connections: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  /** Of one side's turn: members that are added and removed again. */
  readonly membersPerRound: number;
  readonly createsPerRound: number;
  readonly warmUpMs: number;
  readonly samples: number;
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
  ldap: {
    users: 10_000,
    groups: 200,
    connections: [1, 16, 64],
    rounds: 7,
    roundMs: 700,
    membersPerRound: 150,
    largePerRound: 40,
    createsPerRound: 200,
    warmUpMs: 8000,
    samples: 60,
    imports: 7,
    memoryWalks: 10,
  },
  rest: {
    users: 10_000,
    connections: [1, 16, 64],
    rounds: 7,
    roundMs: 700,
    createsPerRound: 300,
    warmUpMs: 2000,
    imports: 7,
  },
  postgresql: {
    users: 100_000,
    groups: 200,
    connections: [1, 16, 64],
    rounds: 7,
    roundMs: 1000,
    membersPerRound: 200,
    createsPerRound: 500,
    warmUpMs: 5000,
    samples: 100,
  },
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
  ldap: {
    users: 500,
    groups: 10,
    connections: [1, 16, 64],
    rounds: 1,
    roundMs: 150,
    membersPerRound: 70,
    largePerRound: 20,
    createsPerRound: 64,
    warmUpMs: 150,
    samples: 3,
    imports: 1,
    memoryWalks: 1,
  },
  rest: {
    users: 500,
    connections: [1, 16],
    rounds: 1,
    roundMs: 150,
    createsPerRound: 64,
    warmUpMs: 150,
    imports: 1,
  },
  postgresql: {
    users: 2000,
    groups: 20,
    connections: [1, 16, 64],
    rounds: 1,
    roundMs: 150,
    membersPerRound: 70,
    createsPerRound: 64,
    warmUpMs: 150,
    samples: 10,
  },
};
