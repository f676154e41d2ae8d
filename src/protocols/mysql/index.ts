import type { Protocol } from '../contract.ts';
import { recognise } from './recognition.ts';
import { MysqlConnection } from './stream.ts';

/**
 * The client/server protocol of MySQL and MariaDB since version 4.1:
 * https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
 */
export const mysql: Protocol = {
  name: 'mysql',
  transport: 'stream',
  recognise,
  open: (sink) => new MysqlConnection(sink),
};
