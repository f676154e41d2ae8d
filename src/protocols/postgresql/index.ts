import type { Protocol } from '../contract.ts';
import { recognise } from './recognition.ts';
import { PostgresqlConnection } from './stream.ts';

/**
 * PostgreSQL's frontend/backend protocol 3, which CockroachDB, Redshift, pgbouncer and others speak too:
 * https://www.postgresql.org/docs/current/protocol.html
 */
export const postgresql: Protocol = {
  name: 'postgresql',
  transport: 'stream',
  recognise,
  open: (sink) => new PostgresqlConnection(sink),
};
