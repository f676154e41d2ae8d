import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import { WireRecorder, loadFixtures, play, testFixtures, type WireFixture } from '../testing.ts';
import { MAX_OUTSTANDING } from './exchange.ts';
import { MAX_KEPT_BYTES } from './frames.ts';
import { postgresql } from './index.ts';
import { MAX_PORTALS, MAX_STATEMENTS, MAX_STATEMENT_BYTES } from './statements.ts';
import {
  COLUMNS,
  IN_TRANSACTION,
  type Piece,
  READY,
  ROW,
  SSL,
  SYNC,
  bind,
  complete,
  error,
  execute,
  int16,
  int32,
  message,
  parse,
  query,
  startup,
  talk,
} from './builders.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

testFixtures(postgresql, FIXTURES);

describe('startup', () => {
  it('names the user, and the database that is called like the user where none is named', () => {
    const { recorder } = talk(['>', startup('user\0ann\0options\0-c x\0\0') + query('select 1')]);
    assert.equal(recorder.queries[0]?.database, 'ann');
    assert.equal(recorder.queries[0]?.user, 'ann');
  });

  it('hands over to TLS when the server agrees, with what came along', () => {
    const { connection } = talk(['>', SSL], ['<', 'Sxyz']);
    assert.equal(connection.isFinished, true);
    assert.equal(connection.handOver?.protocol, 'tls');
    assert.deepEqual(connection.handOver?.fromServer, bytesOf('xyz').slice());
  });

  it('hands over to TLS when the client begins with it', () => {
    const { connection } = talk(['>', `${SSL}\x16\x03\x01`]);
    assert.deepEqual(Array.from(connection.handOver?.fromClient ?? []), [22, 3, 1]);
  });

  it('goes on when the server declines, one encryption after the other', () => {
    const gss = int32(8) + int32(80877104);
    const { lines, connection } = talk(
      ['>', gss],
      ['<', 'N'],
      ['>', SSL],
      ['<', 'N'],
      ['>', startup('user\0ann\0\0')],
      ['<', message('R', int32(0)) + READY],
      ['>', query('select 1')],
    );
    assert.equal(connection.isFinished, false);
    assert.deepEqual(lines, ['1 query SELECT: select 1; database ann; user ann']);
    assert.equal(talk(['>', gss], ['<', 'G']).connection.handOver?.protocol, 'gssapi');
    assert.equal(talk(['>', SSL], ['<', 'E']).connection.isFinished, true);
  });

  it('keeps no password', () => {
    const { lines, connection } = talk(
      ['>', startup('user\0ann\0password\0hunter2\0\0')],
      ['<', message('R', int32(3))],
      ['>', message('p', 'hunter2\0')],
      ['<', message('R', int32(0)) + READY],
      ['>', query('select 1')],
    );
    assert.equal(lines.length, 1);
    assert.doesNotMatch(JSON.stringify([lines, connection.held]), /hunter2/);
  });

  it('tells a request to cancel, without its key', () => {
    const { lines, connection } = talk(['>', int32(16) + int32(80877102) + int32(4711) + int32(99)]);
    assert.deepEqual(lines, ['1 query CANCEL: backend 4711']);
    assert.equal(connection.isFinished, true);
  });
});

describe('extended queries', () => {
  it('tells the parameters of a function call and of binary values as their bytes', () => {
    const call = message(
      'F',
      `${int32(957)}${int16(0)}${int16(2)}${int32(2)}\x00\x01${int32(-1)}${int16(0)}`,
    );
    const { recorder } = talk(['>', call], ['<', message('V', int32(-1)) + READY]);
    assert.deepEqual(recorder.queries[0]?.parameters, ['\x00\x01', 'NULL']);
    assert.equal(recorder.outcomes.length, 1);
  });

  it('tells that statements after a failed one are not executed', () => {
    const { lines } = talk(
      [
        '>',
        parse('a', 'insert into t values ($1)') +
          [1, 2, 3].map((id) => bind('', 'a', `${id}`) + execute()).join(''),
      ],
      ['>', SYNC + query('select 4')],
      [
        '<',
        message('1') + message('2') + complete('INSERT 0 1') + message('2') + error('23505', 'duplicate'),
      ],
      ['<', READY + COLUMNS + complete('SELECT 0') + READY],
    );
    assert.deepEqual(lines.slice(4), [
      '1 outcome ok "INSERT 0 1" 1 rows',
      '2 outcome error 23505 "duplicate"',
      '3 outcome error',
      '4 outcome ok "SELECT 0" 0 rows',
    ]);
  });

  it('tells a statement that is refused before anybody executes it', () => {
    const { lines } = talk(
      ['>', parse('a', 'selekt 1') + message('D', 'Sa\0') + message('H')],
      ['<', error('42601', 'syntax error')],
      ['>', SYNC],
      ['<', READY],
    );
    assert.deepEqual(lines, ['1 query SELEKT: selekt 1', '1 outcome error 42601 "syntax error"']);
  });

  it('adds up the rows that come in portions, until the portal is gone', () => {
    const portion = ROW + ROW + message('s');
    const { lines } = talk(
      ['>', parse('', 'select 1') + bind('c', '') + execute('c', 2) + SYNC],
      ['<', message('1') + message('2') + portion + IN_TRANSACTION],
      ['>', execute('c', 2) + SYNC],
      ['<', portion + IN_TRANSACTION],
      ['>', message('C', 'Pc\0') + SYNC],
      ['<', message('3') + IN_TRANSACTION],
    );
    assert.deepEqual(lines, ['1 query SELECT: select 1', '1 outcome ok 4 rows']);
  });

  it('forgets the least recently used statements, and says that it does not know them', () => {
    const { recorder, connection } = talk(['>', parse('first', 'select 1')]);
    for (let index = 0; index < MAX_STATEMENTS; index++)
      connection.fromClient(bytesOf(parse(`s${index}`, 'select 2')), 0);
    connection.fromClient(bytesOf(bind('', 'first', 'x') + execute() + SYNC), 0);
    assert.equal(connection.held.statements, MAX_STATEMENTS);
    assert.deepEqual(recorder.queries[0]?.parameters, ['x']);
    assert.equal(recorder.queries[0]?.statement, 'EXECUTE first');
    assert.equal(recorder.queries[0]?.isTruncated, true);
  });

  it('bounds statements, portals and what is owed', () => {
    const { connection } = talk();
    for (let index = 0; index < 1.2 * MAX_OUTSTANDING; index++) {
      const sql = `select '${'x'.repeat(5000)}'`;
      connection.fromClient(
        bytesOf(parse(`s${index}`, sql) + bind(`p${index}`, `s${index}`) + execute(`p${index}`)),
        0,
      );
      const { outstanding, bytes, portals } = connection.held;
      assert.ok(outstanding <= MAX_OUTSTANDING && bytes <= MAX_STATEMENT_BYTES && portals <= MAX_PORTALS);
    }
  });

  it('follows a longer pipeline again when it is over', () => {
    const many = Array.from({ length: MAX_OUTSTANDING + 10 }, () => query('select 1')).join('');
    const { recorder, connection, lines } = talk(['>', many], ['<', complete('SELECT 1') + READY]);
    assert.equal(recorder.outcomes.length, 0);
    connection.fromClient(bytesOf(query('select 2')), 0);
    connection.fromServer(bytesOf(COLUMNS + complete('SELECT 2') + READY), 0);
    assert.equal(lines.at(-1), `${MAX_OUTSTANDING + 11} outcome ok "SELECT 2" 2 rows`);
  });
});

describe('what was not captured', () => {
  it('cuts a long statement, wherever its rest is', () => {
    const long = query(`select '${'x'.repeat(100_000)}'`);
    for (const pieces of [[['>', long]], [['>', long.slice(0, 8192), long.length - 8192]]] as Piece[][]) {
      const { recorder, connection } = talk(...pieces);
      assert.equal(recorder.queries.length, 1);
      assert.equal(recorder.queries[0]?.isTruncated, true);
      assert.ok((recorder.queries[0]?.statement.length ?? 0) <= MAX_KEPT_BYTES);
      connection.fromServer(bytesOf(complete('SELECT 1') + READY), 0);
      connection.fromClient(bytesOf(query('select 2')), 0);
      assert.equal(recorder.queries[1]?.statement, 'select 2');
      assert.equal(recorder.outcomes.length, 1);
    }
  });

  it('ends a question whose reply is cut, and goes on with the next one', () => {
    const { lines } = talk(
      ['>', query('select 1')],
      ['<', COLUMNS + ROW, 50_000],
      ['<', 'x'.repeat(20), 1000],
      ['>', query('select 2')],
      ['<', COLUMNS + complete('SELECT 2') + READY],
    );
    assert.deepEqual(lines, [
      '1 query SELECT: select 1',
      '1 outcome ok',
      '2 query SELECT: select 2',
      '2 outcome ok "SELECT 2" 2 rows',
    ]);
  });

  it('passes over the rest of a row by its length', () => {
    const big = message('D', `${int16(1)}${int32(5000)}${'x'.repeat(5000)}`);
    const { lines } = talk(
      ['>', query('select 1')],
      ['<', COLUMNS + big.slice(0, 100), big.length - 100],
      ['<', complete('SELECT 1') + READY],
    );
    assert.deepEqual(lines.slice(1), ['1 outcome ok "SELECT 1" 1 rows']);
  });

  it('gives no answer to another question when messages of the client are lost', () => {
    const { lines } = talk(
      ['>', query('select 1') + query('select 2').slice(0, 3), 5000],
      ['>', query('select 9')],
      ['<', complete('SELECT 1') + READY + complete('SELECT 2') + READY],
      ['>', query('select 10')],
      ['<', complete('SELECT 10') + READY],
    );
    assert.deepEqual(lines, [
      '1 query SELECT: select 1',
      '2 query SELECT: select 9',
      '3 query SELECT: select 10',
      '3 outcome ok "SELECT 10" 10 rows',
    ]);
  });

  it('answers a COPY whose data was lost', () => {
    const { lines } = talk(
      ['>', query('copy t from stdin')],
      ['<', message('G', '\0\0\0')],
      ['>', message('d', 'x\n').slice(0, 4), 100_000],
      ['>', 'some\tdata\n'],
      ['<', complete('COPY 7') + READY],
      ['>', query('select 1')],
    );
    assert.deepEqual(lines.slice(1), ['1 outcome ok "COPY 7" 7 rows', '2 query SELECT: select 1']);
  });

  it('finishes when the client does not speak the protocol', () => {
    assert.equal(talk(['>', 'GET / HTTP/1.1\r\n\r\n']).connection.isFinished, true);
    assert.equal(talk(['>', query('select 1') + query('x').replace('Q', '?')]).connection.isFinished, true);
  });

  for (const fixture of loadFixtures(FIXTURES))
    it(`${fixture.name}: what is told of cut replies is true`, () => checkCutReplies(fixture));
});

/** Plays a fixture with only the first bytes of each reply: every outcome is the real one, or says less. */
function checkCutReplies(fixture: WireFixture): void {
  const whole = new Set(play(postgresql, fixture));
  for (const limit of [20, 50, 90, 150, 300]) {
    const recorder = new WireRecorder();
    const connection = postgresql.open(recorder);
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
    const questions = recorder.lines.filter((line) => line.includes(' query '));
    assert.deepEqual(
      questions,
      [...whole].filter((line) => line.includes(' query ')),
    );
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

describe('the middle of a connection', () => {
  it('is taken up with a question', () => {
    const { lines } = talk(
      ['<', `${'x'.repeat(10)}${READY}`],
      ['>', bind('', 'old', 'a') + execute() + SYNC],
      ['<', message('2') + complete('UPDATE 3') + READY],
    );
    assert.deepEqual(lines, [
      '1 query EXECUTE: EXECUTE old; with ["a"]; truncated',
      '1 outcome ok "UPDATE 3" 3 rows',
    ]);
  });

  it('is taken up with the rest of a cursor', () => {
    const { lines } = talk(
      ['>', execute('c', 2) + message('H')],
      ['<', ROW + message('s')],
      ['>', execute('c', 2) + SYNC],
      ['<', ROW + complete('SELECT 1') + READY],
    );
    assert.deepEqual(lines, ['1 query FETCH: FETCH c; truncated', '1 outcome ok "SELECT 1" 2 rows']);
  });
});
