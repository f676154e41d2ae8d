import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import {
  PROTOCOL_41,
  column,
  eof,
  execute,
  greeting,
  ok,
  packet,
  prepare,
  query,
  signOn,
} from './builders.ts';
import { mysql } from './index.ts';

describe('recognition', () => {
  const CASES: readonly (readonly [string, string, string, boolean, string])[] = [
    ['greeting', '', greeting(PROTOCOL_41), true, 'certain'],
    ['half a greeting', '', greeting(PROTOCOL_41).slice(0, 20), true, 'maybe'],
    ['query at the beginning', query('select 1'), '', true, 'no'],
    ['query in the middle', query('/* x */ select 1'), '', false, 'likely'],
    ['query with attributes in the middle', packet(0, '\x03\0\x01insert into t'), '', false, 'likely'],
    ['long query in the middle', query(`select '${'x'.repeat(9000)}'`).slice(0, 256), '', false, 'likely'],
    ['beginning of a query in the middle', query('select 1').slice(0, 8), '', false, 'maybe'],
    ['preparation in the middle', prepare('update t set a = ?'), '', false, 'likely'],
    ['execution in the middle', execute(5, '\0\x01\x08\0'), '', false, 'likely'],
    ['answer to a greeting in the middle', String(signOn(0)[1]?.[1]), '', false, 'likely'],
    ['no keyword', query('hello world'), '', false, 'no'],
    ['ping in the middle', packet(0, '\x0e'), '', false, 'maybe'],
    ['ping and its answer', packet(0, '\x0e'), ok(1), false, 'likely'],
    ['answer in the middle', '', packet(1, '\x01') + column(2) + eof(3), false, 'likely'],
    ['answer at the beginning', '', packet(1, '\x01') + column(2) + eof(3), true, 'no'],
    ['HTTP', 'GET /a HTTP/1.1\r\n', '', false, 'no'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '', false, 'no'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '', true, 'no'],
    ['TLS in the middle', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '', false, 'no'],
    ['Redis', '*1\r\n$4\r\nPING\r\n', '', false, 'no'],
    ['PostgreSQL startup', '\0\0\0\x16\0\x03\0\0user\0ann\0\0', '', false, 'no'],
    ['PostgreSQL query', 'Q\0\0\0\x0dselect 1\0', '', false, 'no'],
    ['PostgreSQL answer', '', 'C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I', false, 'no'],
    ['MongoDB', '\x3a\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0', '', false, 'no'],
    ['SMTP', '', '220 a ESMTP\r\n', true, 'no'],
    ['FTP', '', '220 ready\r\n', true, 'no'],
    ['SSH', '', 'SSH-2.0-OpenSSH_9.2\r\n', true, 'no'],
    ['uwsgi', '\0\x5c\x01\0\x0e\0REQUEST_METHOD\x03\0GET', '', false, 'no'],
    ['FastCGI', '\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0', '', false, 'no'],
    ['LDAP', '\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0', '', false, 'no'],
    ['random', '\x51\x93\xb1\xc0\x0f\xf3\x1e\x77\xaa', '', false, 'no'],
    ['nothing', '', '', true, 'maybe'],
  ];
  for (const [name, fromClient, fromServer, isBeginning, expected] of CASES)
    it(`${name}: ${expected}`, () => {
      const first = { fromClient: bytesOf(fromClient), fromServer: bytesOf(fromServer), isBeginning };
      assert.equal(mysql.recognise(first), expected);
    });
});
