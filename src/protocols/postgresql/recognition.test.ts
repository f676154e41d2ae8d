import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import {
  COLUMNS,
  READY,
  ROW,
  SSL,
  SYNC,
  bind,
  complete,
  execute,
  parse,
  query,
  startup,
} from './builders.ts';
import { postgresql } from './index.ts';

describe('recognition', () => {
  const CASES: readonly (readonly [string, string, string, boolean, string])[] = [
    ['startup', startup('user\0ann\0\0'), '', true, 'certain'],
    ['half a startup', startup('user\0ann\0\0').slice(0, 8), '', true, 'maybe'],
    ['SSLRequest', SSL, '', true, 'certain'],
    ['half an SSLRequest', SSL.slice(0, 5), '', true, 'maybe'],
    ['query at the beginning', query('select 1'), '', true, 'no'],
    ['query in the middle', query('select 1'), '', false, 'likely'],
    ['long query in the middle', query(`select '${'x'.repeat(9000)}'`).slice(0, 256), '', false, 'likely'],
    [
      'prepared statement in the middle',
      parse('', 'select $1') + bind('', '', 'x') + execute() + SYNC,
      '',
      false,
      'likely',
    ],
    ['execution in the middle', bind('', 's1', 'x', null) + execute() + SYNC, '', false, 'likely'],
    ['long execution in the middle', bind('', 's1', 'x'.repeat(9000)).slice(0, 256), '', false, 'likely'],
    ['beginning of an execution', bind('', 's1', 'x'.repeat(9000)).slice(0, 14), '', false, 'maybe'],
    ['no execution', `B\0\0\0\x20\0s1\0\0\x01\0\x09\0\x01${'x'.repeat(30)}`, '', false, 'no'],
    ['sync in the middle', SYNC, '', false, 'maybe'],
    ['sync and its answer', SYNC, READY, false, 'likely'],
    ['answer in the middle', '', COLUMNS + ROW + complete('SELECT 1') + READY, false, 'likely'],
    ['answer at the beginning', '', COLUMNS + ROW, true, 'no'],
    ['HTTP', 'POST /a HTTP/1.1\r\n', '', false, 'no'],
    ['HTTP PUT', 'PUT /a HTTP/1.1\r\n', '', false, 'no'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '', false, 'no'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '', true, 'no'],
    ['Redis', '*1\r\n$4\r\nPING\r\n', '', true, 'no'],
    ['MySQL command', '\x09\0\0\0\x03select 1', '', false, 'no'],
    ['MySQL statement', `P\0\0\0\x16${'insert into t values (?, ?)'.padEnd(79, ' ')}`, '', false, 'no'],
    ['MySQL execution', `B\0\0\0\x17\x01\0\0\0\0\x01\0\0\0\0\x01\xfe\0${'x'.repeat(53)}`, '', false, 'no'],
    ['MySQL greeting', '', '\x4a\0\0\0\x0a8.0.36\0', true, 'no'],
    ['DNS over TCP', '\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example', '', true, 'no'],
    ['FastCGI', '\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0', '', true, 'no'],
    ['uwsgi', '\0\x5c\x01\0\x0e\0REQUEST_METHOD\x03\0GET', '', true, 'no'],
    ['MongoDB', '\x3a\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0', '', true, 'no'],
    ['SMTP', 'EHLO a\r\n', '220 a ESMTP\r\n', true, 'no'],
    ['LDAP', '\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0', '', false, 'no'],
    ['random', '\x51\x93\xb1\xc0\x0f\xf3\x1e\x77\xaa', '', false, 'no'],
    ['nothing', '', '', true, 'maybe'],
  ];
  for (const [name, fromClient, fromServer, isBeginning, expected] of CASES)
    it(`${name}: ${expected}`, () => {
      const first = { fromClient: bytesOf(fromClient), fromServer: bytesOf(fromServer), isBeginning };
      assert.equal(postgresql.recognise(first), expected);
    });
});
