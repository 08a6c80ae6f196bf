import type { Migration } from '../../state/postgresql/migrations.js';

export const transactionSchema: readonly Migration[] = [
  {
    // Lists are JSON. `hashes` are keyed hashes of what a row is about; `backend` names its operations by their number in
    // `native_operations`. `recorders` holds the last batch of each process that writes.
    sql: `CREATE TABLE $schema.transactions (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at bigint NOT NULL,
        duration_us bigint NOT NULL,
        gateway text NOT NULL,
        operation text NOT NULL,
        outcome text NOT NULL,
        status integer NOT NULL,
        count bigint,
        request_id text NOT NULL,
        trace_id text,
        caller text,
        address text,
        resource_type text,
        resource_id text,
        filter text,
        meant text,
        dropped text,
        backend text,
        reason text,
        shape text,
        recorded text,
        hashes bigint[]
      );
      CREATE INDEX transactions_at ON $schema.transactions (at, seq);
      CREATE INDEX transactions_troubled ON $schema.transactions (at, seq) WHERE outcome <> 'ok';
      CREATE INDEX transactions_request ON $schema.transactions (request_id);
      CREATE INDEX transactions_resource ON $schema.transactions (resource_id) WHERE resource_id IS NOT NULL;
      CREATE INDEX transactions_hashes ON $schema.transactions USING gin (hashes) WHERE hashes IS NOT NULL;
      CREATE TABLE $schema.native_operations (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        hash text NOT NULL UNIQUE,
        text text NOT NULL
      );
      CREATE TABLE $schema.activity (
        gateway text PRIMARY KEY,
        last_at bigint NOT NULL,
        last_outcome text NOT NULL,
        last_status integer NOT NULL,
        ok bigint NOT NULL,
        refused bigint NOT NULL,
        rejected bigint NOT NULL,
        failed bigint NOT NULL
      );
      CREATE TABLE $schema.recorders (id uuid PRIMARY KEY, last_batch bigint NOT NULL, at bigint NOT NULL);`,
    oldest: 1,
  },
];
