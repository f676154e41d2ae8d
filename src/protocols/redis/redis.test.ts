import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesOf } from '../../base/bytes.ts';
import type { ProtocolConnection } from '../contract.ts';
import { testFixtures, WireRecorder } from '../testing.ts';
import { MAX_ARGUMENTS, MAX_COMMAND_BYTES } from './commands.ts';
import { redis } from './index.ts';
import { splitInline } from './inline.ts';
import { withoutSecrets } from './secrets.ts';

testFixtures(redis, join(import.meta.dirname, 'fixtures'));

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

class Talk {
  readonly recorder = new WireRecorder();
  readonly connection: ProtocolConnection = redis.open(this.recorder);

  client(text: string, missing = 0): this {
    this.connection.fromClient(bytesOf(text), missing);
    return this;
  }

  server(text: string, missing = 0): this {
    this.connection.fromServer(bytesOf(text), missing);
    return this;
  }

  get lines(): readonly string[] {
    return this.recorder.lines;
  }
}

describe('redis: replies', () => {
  const outcome = (reply: string, ...words: string[]): string | undefined =>
    new Talk().client(command(...(words.length > 0 ? words : ['CMD']))).server(reply).lines[1];

  it('of every type', () => {
    assert.equal(outcome('+OK\r\n'), '1 outcome ok');
    assert.equal(outcome(':12\r\n'), '1 outcome ok');
    assert.equal(outcome(':12\r\n', 'del', 'a'), '1 outcome ok 12 rows');
    assert.equal(outcome('$-1\r\n'), '1 outcome ok 0 rows');
    assert.equal(outcome('$0\r\n\r\n'), '1 outcome ok 1 rows');
    assert.equal(outcome('*-1\r\n'), '1 outcome ok 0 rows');
    assert.equal(outcome('*0\r\n'), '1 outcome ok 0 rows');
    assert.equal(outcome('_\r\n'), '1 outcome ok 0 rows');
    assert.equal(outcome('#t\r\n'), '1 outcome ok');
    assert.equal(outcome(',1.5\r\n'), '1 outcome ok');
    assert.equal(outcome('(123456789012345678901234567890\r\n'), '1 outcome ok');
    assert.equal(outcome('=7\r\ntxt:abc\r\n'), '1 outcome ok 1 rows');
    assert.equal(outcome('%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n:2\r\n'), '1 outcome ok 2 rows');
    assert.equal(outcome('~2\r\n+a\r\n+b\r\n'), '1 outcome ok 2 rows');
    assert.equal(outcome('*2\r\n*1\r\n*1\r\n$3\r\na\r\n\r\n:1\r\n'), '1 outcome ok 2 rows');
    assert.equal(outcome('|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n'), '1 outcome ok 1 rows');
  });

  it('that are errors, with the code word apart', () => {
    assert.equal(outcome('-WRONGTYPE bad kind\r\n'), '1 outcome error WRONGTYPE "bad kind"');
    assert.equal(outcome('-ERR\r\n'), '1 outcome error ERR');
    assert.equal(outcome('!11\r\nERR no good\r\n'), '1 outcome error ERR "no good"');
    assert.equal(outcome('*2\r\n+OK\r\n-WRONGTYPE bad\r\n', 'EXEC'), '1 outcome error WRONGTYPE "bad"');
  });

  it('in a row for a pipeline, and push messages in between that answer nothing', () => {
    const talk = new Talk().client(command('GET', 'a') + command('GET', 'b'));
    talk.server('$1\r\n1\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n$-1\r\n');
    assert.deepEqual(talk.lines.slice(2), ['1 outcome ok 1 rows', '2 outcome ok 0 rows']);
  });

  it('that never come: CLIENT REPLY OFF and ON', () => {
    const talk = new Talk().client(command('CLIENT', 'REPLY', 'OFF') + command('SET', 'a', 'b'));
    talk.client(command('CLIENT', 'REPLY', 'ON') + command('GET', 'a')).server('+OK\r\n$1\r\nb\r\n');
    assert.deepEqual(talk.lines.slice(4), ['3 outcome ok', '4 outcome ok 1 rows']);
  });

  it('end where replication begins', () => {
    const talk = new Talk().client(command('PSYNC', '?', '-1')).server('+FULLRESYNC abc 0\r\n');
    assert.equal(talk.connection.isFinished, true);
    assert.equal(talk.lines.length, 2);
  });
});

describe('redis: connection state', () => {
  it('goes back to the database and user before where the command fails', () => {
    const talk = new Talk().client(command('SELECT', '4')).server('+OK\r\n').client(command('SELECT', '99'));
    talk.server('-ERR DB index is out of range\r\n').client(command('AUTH', 'eve', 'x'));
    talk.server('-WRONGPASS no\r\n').client(command('GET', 'a'));
    assert.equal(talk.lines.at(-1), '4 query GET: GET a; with ["a"]; database 4');
  });

  it('an array that looks like a message is a reply where nothing is subscribed', () => {
    const talk = new Talk()
      .client(command('LRANGE', 'l', '0', '-1'))
      .server('*3\r\n$7\r\nmessage\r\n+a\r\n+b\r\n');
    assert.equal(talk.lines[1], '1 outcome ok 3 rows');
  });
});

describe('redis: secrets', () => {
  const kept = (text: string): string => withoutSecrets(text.split(' ')).words.join(' ');

  it('are left out', () => {
    assert.equal(kept('AUTH hunter2'), 'AUTH (redacted)');
    assert.equal(kept('auth bob hunter2'), 'auth bob (redacted)');
    assert.equal(kept('auth bob hunter2 hunter3'), 'auth bob (redacted)');
    assert.equal(kept('HELLO 3 AUTH bob hunter2 SETNAME x'), 'HELLO 3 AUTH bob (redacted) SETNAME x');
    assert.equal(kept('HELLO 3 SETNAME x AUTH bob hunter2'), 'HELLO 3 SETNAME x AUTH bob (redacted)');
    assert.equal(kept('HELLO 3 AUTH hunter2'), 'HELLO 3 AUTH (redacted)');
    assert.equal(
      kept('CONFIG SET maxmemory 1 requirepass pw'),
      'CONFIG SET maxmemory 1 requirepass (redacted)',
    );
    assert.equal(kept('ACL SETUSER bob on >pw #hash ~*'), 'ACL SETUSER bob on >(redacted) #(redacted) ~*');
    assert.equal(
      kept('MIGRATE h 1 k 0 9 AUTH2 bob pw KEYS a'),
      'MIGRATE h 1 k 0 9 AUTH2 bob (redacted) KEYS a',
    );
    assert.equal(kept('MIGRATE h 1 k 0 9 COPY AUTH pw'), 'MIGRATE h 1 k 0 9 COPY AUTH (redacted)');
  });
});

describe('redis: inline commands', () => {
  it('are split like Redis does', () => {
    assert.deepEqual(splitInline("  set \"a b\" 'c\\'d' x\\y  ", 9), ['set', 'a b', "c'd", 'x\\y']);
    assert.deepEqual(splitInline('a "\\x41\\n\\q"', 9), ['a', 'A\nq']);
    assert.equal(splitInline('a "b', 9), null);
    assert.equal(splitInline('a "b"c', 9), null);
  });
});

describe('redis: bytes that were not captured', () => {
  it('inside a long value are skipped by its length', () => {
    const talk = new Talk().client('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nabc', 99_999);
    talk
      .client(command('GET', 'k'))
      .server('+OK\r\n$100000\r\nabc', 99_999)
      .client(command('PING'))
      .server('+PONG\r\n');
    assert.deepEqual(talk.lines, [
      '1 query SET: SET k abc; with ["k","abc"]; truncated',
      '2 query GET: GET k; with ["k"]',
      '1 outcome ok',
      '2 outcome ok 1 rows',
      '3 query PING: PING',
      '3 outcome ok',
    ]);
  });

  it('are skipped wherever they end inside value and line end', () => {
    const whole = command('SET', 'k', 'abcdef') + command('PING');
    for (let cut = 24; cut < 33; cut++) {
      for (let skip = 1; cut + skip <= 32; skip++) {
        const talk = new Talk().client(whole.slice(0, cut), skip).client(whole.slice(cut + skip));
        assert.equal(talk.recorder.queries.length, 2, `${cut} ${skip}`);
        assert.equal(talk.recorder.queries[1]?.operation, 'PING');
      }
    }
  });

  it('of many replies: the next question finds them again', () => {
    const talk = new Talk()
      .client(command('LRANGE', 'l', '0', '-1'))
      .server('*500\r\n$1\r\na\r\n$1\r\n', 5000);
    talk.server('$1\r\nz\r\n').client(command('GET', 'a')).server('$-1\r\n');
    assert.deepEqual(talk.lines.slice(1), [
      '1 outcome ok 500 rows',
      '2 query GET: GET a; with ["a"]',
      '2 outcome ok 0 rows',
    ]);
  });

  it('of many commands: the next one that is seen is answered by what follows it', () => {
    const talk = new Talk()
      .client(`${command('GET', 'a')}*2\r\n$3\r\nGE`, 5000)
      .server('$1\r\n1\r\n$1\r\n2\r\n');
    talk.client(command('GET', 'c')).server('+x\r\n');
    assert.deepEqual(talk.lines, [
      '1 query GET: GET a; with ["a"]',
      '2 query GE: GE; truncated',
      '3 query GET: GET c; with ["c"]',
      '3 outcome ok',
    ]);
  });
});

describe('redis: limits', () => {
  it('keeps a bounded part of a command', () => {
    const talk = new Talk().client(
      command('MSET', ...Array.from({ length: 4000 }, () => 'word'), 'x'.repeat(90_000)),
    );
    const [query] = talk.recorder.queries;
    assert.equal(query?.isTruncated, true);
    assert.equal(query?.parameters.length, MAX_ARGUMENTS - 1);
    assert.ok((query?.statement.length ?? 0) <= MAX_COMMAND_BYTES + MAX_ARGUMENTS);
  });

  it('gives up where no command can be', () => {
    for (const text of [
      '*1\r\n+PING\r\n',
      '*x\r\n',
      '*99999999999\r\n',
      '*1\r\n$-1\r\n',
      '\u0001\u0002\r\n',
      'x'.repeat(70_000),
    ]) {
      assert.equal(new Talk().client(text).connection.isFinished, true, text.slice(0, 20));
    }
  });

  it('any bytes', () => {
    const piece = fc.tuple(
      fc.boolean(),
      fc.oneof(fc.string(), fc.stringMatching(/^[*$+:>%|,\-0-9\r\n]{0,30}$/)),
      fc.nat(3),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const talk = new Talk();
        for (const [isClient, text, missing] of pieces)
          void (isClient ? talk.client(text, missing) : talk.server(text, missing));
        talk.connection.close();
      }),
      { numRuns: 200 },
    );
  });
});

describe('redis: recognition', () => {
  const ask = (client: string, server = '', isBeginning = true): string =>
    redis.recognise({ fromClient: bytesOf(client), fromServer: bytesOf(server), isBeginning });

  it('of commands', () => {
    assert.equal(ask(command('PING')), 'certain');
    assert.equal(ask('*3\r\n$3\r\nS'), 'certain');
    assert.equal(ask('*3\r\n$'), 'maybe');
    assert.equal(ask('PING\r\n'), 'maybe');
    assert.equal(ask('PING\r\n', '+PONG\r\n'), 'likely');
    assert.equal(ask('get a\r\n', '-NOAUTH Authentication required.\r\n'), 'likely');
    assert.equal(ask('get a\r\n', 'VALUE a 0 1\r\n'), 'no');
    assert.equal(ask('', '$5\r\n', false), 'maybe');
  });

  it('not of others', () => {
    const others = [
      'GET / HTTP/1.1\r\n',
      'GET /a\r\n',
      'POST / HTTP/1.1\r\n',
      '\u0016\u0003\u0001\u0002\u0000',
      'PRI * HTTP/2.0\r\n',
      '* OK IMAP\r\n',
      'EHLO a\r\n',
      '\u0000\u0000\u0000\u0008\u0004\u00d2\u0016\u002f',
      '*1\r\n$4\r\n\u0000\u0001',
      '*0\r\n',
    ];
    for (const text of others) assert.equal(ask(text), 'no', text);
    assert.equal(ask('', '220 mail ESMTP\r\n'), 'no');
    assert.equal(ask('QUIT\r\n', '220 mail\r\n'), 'no');
  });
});
