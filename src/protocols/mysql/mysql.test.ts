import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import { WireRecorder, loadFixtures, play, testFixtures, type WireFixture } from '../testing.ts';
import { MAX_OUTSTANDING } from './exchange.ts';
import { mysql } from './index.ts';
import { MAX_KEPT_BYTES } from './packets.ts';
import { MAX_STATEMENTS, MAX_STATEMENT_BYTES } from './statements.ts';
import {
  PROTOCOL_41,
  column,
  eof,
  execute,
  failure,
  greeting,
  little,
  ok,
  packet,
  prepare,
  prepared,
  query,
  signOn,
  talk,
} from './builders.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

testFixtures(mysql, FIXTURES);

describe('sign-on', () => {
  it('names user and database, and keeps no password', () => {
    const { recorder, lines, connection } = talk(...signOn(0), ['>', query('select 1')]);
    assert.equal(recorder.queries[0]?.user, 'ann');
    assert.equal(recorder.queries[0]?.database, 'shop');
    assert.doesNotMatch(JSON.stringify([lines, connection.held]), /hunter2/);
  });

  it('hands over to TLS, with what came along', () => {
    const flags = PROTOCOL_41 | 0x800;
    const request = packet(1, `${little(flags, 4)}${little(1 << 24, 4)}\xff${'\0'.repeat(23)}`);
    const { connection } = talk(['<', greeting(flags)], ['>', `${request}\x16\x03\x01`]);
    assert.equal(connection.handOver?.protocol, 'tls');
    assert.deepEqual(Array.from(connection.handOver?.fromClient ?? []), [22, 3, 1]);
  });

  it('finishes where everything after it is compressed', () => {
    assert.equal(talk(...signOn(0x20)).connection.isFinished, true);
    assert.equal(talk(...signOn(0x4000000)).connection.isFinished, true);
    assert.equal(talk(...signOn(0)).connection.isFinished, false);
  });

  it('finishes with clients from before version 4.1, and with what is no greeting', () => {
    const old = packet(1, `${little(0x24, 2)}\0\0\0old\0${'x'.repeat(40)}`);
    assert.equal(talk(['<', greeting(PROTOCOL_41)], ['>', old]).connection.isFinished, true);
    assert.equal(talk(['<', packet(0, '\xff\x69\x04Host is blocked')]).connection.isFinished, true);
  });

  it('changes user and database when the server agrees', () => {
    const change = packet(0, `\x11bob\0\x03abcother\0`);
    const { recorder } = talk(
      ...signOn(0),
      ['>', change],
      ['<', packet(1, '\xfeplugin\0challenge')],
      ['>', packet(2, 'proof')],
      ['<', ok(3)],
      ['>', query('select 1')],
      ['<', failure(1, 1064, 'no')],
      ['>', change],
      ['<', failure(1, 1045, 'Access denied')],
      ['>', query('select 2')],
    );
    assert.equal(recorder.queries[0]?.user, 'bob');
    assert.equal(recorder.queries[1]?.database, 'other');
    assert.equal(recorder.outcomes.length, 1);
  });
});

describe('commands', () => {
  it('reads query attributes where both ends have them', () => {
    // The example of the documentation: an attribute 'a' of value '1'.
    const attributes = `\x03\x01\x01\x00\x01\xfe\x00\x01a\x011select @@version_comment limit 1`;
    const { recorder } = talk(
      ...signOn(0x8000000),
      ['>', packet(0, attributes)],
      ['>', packet(0, '\x03\0\x01select 1')],
    );
    assert.deepEqual(recorder.queries[0]?.parameters, ['1']);
    assert.equal(recorder.queries[0]?.statement, 'select @@version_comment limit 1');
    assert.equal(recorder.queries[1]?.statement, 'select 1');
  });

  it('reads the parameters of an execution with attributes', () => {
    const values = `\x02\0\x01\x08\0\0\xfe\0\x05trace${little(7, 8)}\x03abc`;
    const { recorder } = talk(
      ...signOn(0x8000000),
      ['>', prepare('select ?')],
      ['<', prepared(1, 1)],
      ['>', packet(0, `\x17${little(1, 4)}\x08${little(1, 4)}${values}`)],
    );
    assert.deepEqual(recorder.queries[0]?.parameters, ['7', 'abc']);
    assert.equal(recorder.queries[0]?.isTruncated, false);
  });

  it('remembers the types of parameters, and values that were sent ahead', () => {
    const { recorder } = talk(
      ...signOn(0),
      ['>', prepare('select ?, ?')],
      ['<', prepared(9, 2) + eof(4)],
      ['>', execute(9, `\0\x01\x08\0\xfc\0${little(5, 8)}\x01x`)],
      ['<', ok(1)],
      [
        '>',
        packet(0, `\x18${little(9, 4)}${little(1, 2)}long `) +
          packet(0, `\x18${little(9, 4)}${little(1, 2)}data`),
      ],
      ['>', execute(9, `\0\0${little(6, 8)}`)],
      ['<', ok(1)],
      ['>', execute(9, `\x02\0${little(7, 8)}`)],
    );
    assert.deepEqual(
      recorder.queries.map(({ parameters }) => parameters),
      [
        ['5', 'x'],
        ['6', 'long data'],
        ['7', 'NULL'],
      ],
    );
    assert.equal(recorder.outcomes.length, 2);
  });

  it('does not know statements of before, and forgets the least recently used', () => {
    const { recorder, connection } = talk(...signOn(0), ['>', execute(77, '\0\x01\x08\0')]);
    assert.equal(recorder.queries[0]?.isTruncated, true);
    connection.fromServer(bytesOf(failure(1, 1243, 'Unknown prepared statement')), 0);
    for (let id = 0; id < 2 * MAX_STATEMENTS; id++) {
      connection.fromClient(bytesOf(prepare(`select ${'x'.repeat(2000)}`)), 0);
      connection.fromServer(bytesOf(prepared(id, 0)), 0);
      assert.ok(connection.held.bytes <= MAX_STATEMENT_BYTES);
    }
    assert.ok(connection.held.statements <= MAX_STATEMENTS);
    connection.fromClient(bytesOf(packet(0, `\x19${little(2 * MAX_STATEMENTS - 1, 4)}`)), 0);
    connection.fromClient(bytesOf(execute(2 * MAX_STATEMENTS - 1)), 0);
    assert.equal(recorder.queries.at(-1)?.statement, `EXECUTE ${2 * MAX_STATEMENTS - 1}`);
  });

  it('finds the parameters of a statement of before by where they end', () => {
    const { recorder } = talk(
      ...signOn(0),
      ['>', execute(5, '\x02\x01\x08\0\xfd\0\xfd\0\x07\0\0\0\0\0\0\0\x02ab')],
      ['>', execute(5, '\0\0\x07\0\0\0\0\0\0\0')],
    );
    assert.deepEqual(
      recorder.queries.map(({ parameters }) => parameters),
      [['7', 'NULL', 'ab'], []],
    );
    assert.ok(recorder.queries.every(({ isTruncated }) => isTruncated));
  });

  it('is taken up while it signs on', () => {
    const late = signOn(0x8000000).slice(1);
    const { lines } = talk(...late, ['>', query('select 1')], ['<', ok(1)]);
    assert.deepEqual(lines, ['1 query SELECT: select 1; database shop; user ann', '1 outcome ok 0 rows']);
    assert.equal(talk(...signOn(0x20).slice(1)).connection.isFinished, true);
  });

  it('tells a statement that is refused when it is prepared', () => {
    const { lines } = talk(...signOn(0), ['>', prepare('selekt 1')], ['<', failure(1, 1064, 'syntax')]);
    assert.deepEqual(lines.slice(-2), [
      '1 query SELEKT: selekt 1; database shop; user ann',
      '1 outcome error 1064 "syntax"',
    ]);
  });

  it('counts rows in both forms of a result, and in a cursor none', () => {
    const { lines } = talk(
      ['>', query('select 1')],
      ['<', packet(1, '\x01') + column(2) + eof(3) + packet(4, '\x01a') + packet(5, '\x01b') + eof(6)],
      ['>', query('select 2')],
      ['<', packet(1, '\x01') + column(2) + packet(3, '\x01a') + packet(4, '\xfe\0\0\x02\0\0\0')],
      ['>', execute(1)],
      ['<', packet(1, '\x01') + column(2) + eof(3, 0x42)],
      ['>', packet(0, `\x1c${little(1, 4)}${little(9, 4)}`)],
      ['<', packet(1, '\0\0\x01a') + eof(2, 0x80)],
      ['>', query('select 3')],
      ['<', ok(1, 3)],
    );
    assert.deepEqual(
      lines.filter((line) => line.includes('outcome')),
      ['1 outcome ok 2 rows', '2 outcome ok 1 rows', '3 outcome ok', '4 outcome ok 3 rows'],
    );
  });

  it('notices a new database', () => {
    const changed = packet(1, `\0\0\0${little(0x4002, 2)}\0\0\0\x07\x01\x05\x04mine`);
    const { recorder } = talk(['>', query('use mine')], ['<', changed], ['>', query('select 1')]);
    assert.equal(recorder.queries[1]?.database, 'mine');
  });

  it('tells commands that work without SQL, and passes over others', () => {
    const { lines } = talk(
      ['>', packet(0, '\x0c\x07\0\0\0')],
      ['<', ok(1)],
      ['>', packet(0, '\x09')],
      ['<', packet(1, 'Uptime: 5')],
      ['>', packet(0, '\x0e')],
      ['<', ok(1)],
      ['>', packet(0, '\x06shop')],
      ['<', failure(1, 1008, 'no such database')],
      ['>', packet(0, '\x01')],
    );
    assert.deepEqual(lines, [
      '1 query PROCESS_KILL: 7',
      '1 outcome ok 0 rows',
      '2 query DROP_DB: shop',
      '2 outcome error 1008 "no such database"',
    ]);
    assert.equal(talk(['>', packet(0, '\x12\0\0\0\0\0\0')]).connection.isFinished, true);
  });

  it('follows a file that is longer than the sequence numbers', () => {
    const { lines, connection } = talk(['>', query('load data local infile')], ['<', packet(1, '\xfbfile')]);
    for (let index = 2; index < 600; index++)
      connection.fromClient(bytesOf(packet(index & 255, '\x03drop')), 0);
    connection.fromClient(bytesOf(packet(600 & 255, '')), 0);
    connection.fromServer(bytesOf(ok(601 & 255, 9)), 0);
    assert.deepEqual(lines, ['1 query LOAD: load data local infile', '1 outcome ok 9 rows']);
  });

  it('reads messages of more than 16 MiB, and their answers', () => {
    const { recorder, connection } = talk();
    const chunk = bytesOf('x'.repeat(65535));
    connection.fromClient(bytesOf(`\xff\xff\xff\0\x03select '`), 0);
    let left = 0xffffff - 9;
    while (left > 0) {
      const size = Math.min(left, chunk.length);
      connection.fromClient(chunk.subarray(0, size), 0);
      left -= size;
    }
    connection.fromClient(bytesOf(packet(1, "y'")), 0);
    assert.equal(recorder.queries.length, 1);
    assert.equal(recorder.queries[0]?.statement.length, MAX_KEPT_BYTES - 1);
    assert.equal(recorder.queries[0]?.isTruncated, true);
    connection.fromServer(bytesOf(ok(2, 1)), 0);
    assert.equal(recorder.outcomes[0]?.rows, 1);
  });

  it('bounds what is owed, and follows a longer pipeline again when it is over', () => {
    const many = query('select 1').repeat(MAX_OUTSTANDING + 5);
    const { lines, recorder, connection } = talk(['>', many], ['<', ok(1)]);
    assert.ok(connection.held.outstanding <= MAX_OUTSTANDING);
    assert.equal(recorder.outcomes.length, 0);
    connection.fromClient(bytesOf(query('select 2')), 0);
    connection.fromServer(bytesOf(ok(1, 2)), 0);
    assert.equal(lines.at(-1), `${MAX_OUTSTANDING + 6} outcome ok 2 rows`);
  });
});

describe('what was not captured', () => {
  it('cuts a long statement, and goes on after it', () => {
    const long = query(`select '${'x'.repeat(100_000)}'`);
    const { recorder } = talk(
      ['>', long.slice(0, 8192), long.length - 8192],
      ['<', ok(1)],
      ['>', query('select 2')],
    );
    assert.equal(recorder.queries[0]?.isTruncated, true);
    assert.equal(recorder.queries[0]?.statement.length, 8192 - 5);
    assert.equal(recorder.queries[1]?.isTruncated, false);
    assert.equal(recorder.outcomes.length, 1);
  });

  it('ends a question whose reply is cut, and goes on with the next one', () => {
    const { lines } = talk(
      ['>', query('select 1')],
      ['<', packet(1, '\x01') + column(2) + eof(3) + packet(4, '\x01a'), 50_000],
      ['<', '', 1000],
      ['>', query('select 2')],
      ['<', ok(1, 2)],
    );
    assert.deepEqual(lines, [
      '1 query SELECT: select 1',
      '1 outcome ok',
      '2 query SELECT: select 2',
      '2 outcome ok 2 rows',
    ]);
  });

  it('passes over the rest of a row by its length', () => {
    const row = packet(4, `\xfc\x88\x13${'x'.repeat(5000)}`);
    const { lines } = talk(
      ['>', query('select 1')],
      ['<', packet(1, '\x01') + column(2) + eof(3) + row.slice(0, 50), row.length - 50],
      ['<', eof(5)],
    );
    assert.equal(lines.at(-1), '1 outcome ok 1 rows');
  });

  it('gives no answer to another question when messages of the client are lost', () => {
    const { lines } = talk(
      ['>', query('select 1') + query('select 2').slice(0, 3), 5000],
      ['>', query('select 9')],
      ['<', ok(1, 1) + ok(1, 2)],
      ['>', query('select 10')],
      ['<', ok(1, 10)],
    );
    assert.deepEqual(lines.slice(1), [
      '2 query SELECT: select 9',
      '3 query SELECT: select 10',
      '3 outcome ok 10 rows',
    ]);
  });

  it('takes the rest of a lost reply for no answer', () => {
    const { lines } = talk(
      ['>', query('select 1')],
      ['<', packet(1, '\x01'), 9000],
      ['>', query('select 2')],
      ['<', packet(77, 'rest of a row')],
      ['>', query('select 3')],
      ['<', ok(1, 3)],
    );
    assert.deepEqual(lines.slice(1), [
      '2 query SELECT: select 2',
      '3 query SELECT: select 3',
      '3 outcome ok 3 rows',
    ]);
  });

  for (const fixture of loadFixtures(FIXTURES))
    it(`${fixture.name}: what is told of cut replies is true`, () => checkCutReplies(fixture));
});

/** Plays a fixture with only the first bytes of each reply: every outcome is the real one, or says less. */
function checkCutReplies(fixture: WireFixture): void {
  const whole = new Set(play(mysql, fixture));
  for (const limit of [110, 150, 300]) {
    const recorder = new WireRecorder();
    const connection = mysql.open(recorder);
    let room = limit;
    let before = '';
    for (const [direction, text] of fixture.pieces) {
      const bytes = Buffer.from(text, 'base64');
      if (direction !== before) room = direction === '<' ? limit : 8192;
      before = direction;
      const part = Uint8Array.from(bytes.subarray(0, room));
      room -= part.length;
      if (direction === '>') connection.fromClient(part, bytes.length - part.length);
      else connection.fromServer(part, bytes.length - part.length);
    }
    connection.close();
    for (const line of recorder.lines)
      assert.ok(whole.has(line) || saysLess(line, whole), `limit ${limit}: ${line}`);
  }
}

/** An outcome without its rows, its code or its message. */
function saysLess(line: string, lines: ReadonlySet<string>): boolean {
  const [number, , result] = line.split(' ');
  const real = [...lines].find((other) => other.startsWith(`${number} outcome `)) ?? '';
  return real.startsWith(`${number} outcome ${result}`) && !line.includes(' rows');
}
