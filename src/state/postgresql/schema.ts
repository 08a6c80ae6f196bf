import type { Migration } from './migrations.js';

/** Times are milliseconds since 1970. */
export const stateSchema: readonly Migration[] = [
  {
    // `replaced`: another one has the label now. `successor`: the one whose first use revokes this one.
    sql: `CREATE TABLE $schema.tokens (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        gateway text NOT NULL,
        label text NOT NULL,
        hash text NOT NULL UNIQUE,
        created bigint NOT NULL,
        expires bigint NOT NULL,
        last_used bigint,
        revoked bigint,
        client_id text,
        read_only boolean NOT NULL DEFAULT false,
        resource_types text[],
        replaced bigint,
        successor bigint REFERENCES $schema.tokens (id)
      );
      CREATE UNIQUE INDEX tokens_label ON $schema.tokens (gateway, label) WHERE revoked IS NULL AND replaced IS NULL;
      CREATE INDEX tokens_successor ON $schema.tokens (successor) WHERE successor IS NOT NULL;
      CREATE TABLE $schema.keys (name text PRIMARY KEY, key bytea NOT NULL);
      CREATE TABLE $schema.controls (
        gateway text PRIMARY KEY,
        enabled boolean,
        level text,
        record_values_until bigint
      );`,
    oldest: 1,
  },
];
