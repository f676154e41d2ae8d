import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesOf } from '../../base/bytes.ts';
import type { ProtocolConnection } from '../contract.ts';
import { testFixtures, WireRecorder } from '../testing.ts';
import { smtp } from './index.ts';
import { MessageEnd } from './message-end.ts';
import { MAX_COMMAND_BYTES, MAX_OUTSTANDING } from './stream.ts';

testFixtures(smtp, join(import.meta.dirname, 'fixtures'));

class Talk {
  readonly recorder = new WireRecorder();
  readonly connection: ProtocolConnection = smtp.open(this.recorder);

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

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('smtp: commands and replies', () => {
  it('a greeting answers nothing, even where the client did not wait', () => {
    const talk = new Talk()
      .client('EHLO a\r\n')
      .server('220-hello\r\n220 ESMTP\r\n')
      .server('250-b\r\n250 OK\r\n');
    assert.deepEqual(talk.lines, ['1 query EHLO: EHLO a; with ["a"]', '1 outcome ok 250']);
  });

  it('the words of an error are all its lines', () => {
    const talk = new Talk()
      .server('220 b\r\n')
      .client('MAIL FROM:a@b SIZE=5\r\n')
      .server('550-no\r\n550 never\r\n');
    assert.deepEqual(talk.lines, [
      '1 query MAIL: MAIL FROM:a@b SIZE=5; with ["a@b"]',
      '1 outcome error 550 "no\\nnever"',
    ]);
  });

  it('a message ends with its lone dot, and what follows is a command', () => {
    const talk = new Talk()
      .client('DATA\r\n')
      .server('354 go\r\n')
      .client('MAIL FROM:<x>\r\n..\r\n.\r\nQUIT\r\n');
    assert.deepEqual(talk.lines, ['1 query DATA: DATA', '2 query QUIT: QUIT']);
    assert.deepEqual(talk.server('250 ok\r\n221 bye\r\n').lines.slice(2), [
      '1 outcome ok 250',
      '2 outcome ok 221',
    ]);
  });

  it('a message that is refused at once is none', () => {
    const talk = new Talk().client('DATA\r\n').server('503 no\r\n').client('QUIT\r\n');
    assert.deepEqual(talk.lines, ['1 query DATA: DATA', '1 outcome error 503 "no"', '2 query QUIT: QUIT']);
  });

  it('LMTP answers a message for each recipient', () => {
    const talk = new Talk().client('LHLO a\r\n').server('250 b\r\n');
    for (const name of ['x', 'y']) talk.client(`RCPT TO:<${name}>\r\n`).server('250 ok\r\n');
    talk.client('DATA\r\n').server('354 go\r\n').client('.\r\n').server('250 x\r\n').client('QUIT\r\n');
    assert.deepEqual(talk.server('550 y\r\n221 bye\r\n').lines.slice(6), [
      '4 query DATA: DATA',
      '5 query QUIT: QUIT',
      '4 outcome error 550 "y"',
      '5 outcome ok 221',
    ]);
  });

  it('what another protocol is made to say', () => {
    const talk = new Talk().server('220 b\r\n').client('GET /x HTTP/1.1\r\nHost: a\n');
    assert.deepEqual(talk.lines, [
      '1 query GET: GET /x HTTP/1.1; with ["/x HTTP/1.1"]',
      '2 query HOST:: Host: a; with ["a"]; bare-lf',
    ]);
  });
});

describe('smtp: the end of a message', () => {
  const endOf = (text: string): number => new MessageEnd().read(bytesOf(text), 0);

  it('is a dot between two CRLF', () => {
    assert.equal(endOf('.\r\nx'), 3);
    assert.equal(endOf('a\r\n.\r\nx'), 6);
    for (const text of [
      'a.\r\n',
      '\n.\r\n',
      'a\n.\n',
      '\r\n.\n',
      '..\r\n',
      '\r\n. \r\n',
      '\r.\r\n',
      'a\r\n.\r',
    ]) {
      assert.equal(endOf(text), -1, JSON.stringify(text));
    }
  });

  it('that only lenient servers see is noticed', () => {
    for (const text of ['a\n.\n', 'a\n.\r\n', 'a\r\n.\n']) {
      const end = new MessageEnd();
      end.read(bytesOf(text), 0);
      assert.equal(end.hasBareDot, true, JSON.stringify(text));
    }
  });
});

describe('smtp: secrets', () => {
  it('are not told', () => {
    const talk = new Talk().client(`AUTH PLAIN ${base64('\0bob\0hunter2')}\r\n`).server('235 ok\r\n');
    talk
      .client('AUTH LOGIN\r\n')
      .server(`334 ${base64('Username:')}\r\n`)
      .client(`${base64('amy')}\r\n`);
    talk
      .server('334 x\r\n')
      .client('my pass: word\r\n')
      .server('535 no\r\n')
      .client('NOOP\r\n')
      .server('250 ok\r\n');
    assert.deepEqual(talk.lines, [
      '1 query AUTH: AUTH PLAIN; with ["PLAIN"]',
      '1 outcome ok 235',
      '2 query AUTH: AUTH LOGIN; with ["LOGIN"]; user bob',
      '2 outcome error 535 "no"',
      '3 query NOOP: NOOP; user bob',
      '3 outcome ok 250',
    ]);
  });
});

describe('smtp: STARTTLS', () => {
  it('hands over what came with the consent', () => {
    const talk = new Talk()
      .client('STARTTLS\r\n')
      .client('\u0016\u0003\u0001')
      .server('220 go\r\n\u0016\u0003');
    assert.equal(talk.connection.isFinished, true);
    const { handOver } = talk.connection;
    assert.equal(handOver?.protocol, 'tls');
    assert.deepEqual([...(handOver?.fromClient ?? [])], [22, 3, 1]);
    assert.deepEqual([...(handOver?.fromServer ?? [])], [22, 3]);
  });

  it('a command that was sent along is noticed', () => {
    const talk = new Talk().client('STARTTLS\r\nRSET\r\n').server('220 go\r\n');
    assert.equal(talk.lines[1], '2 query RSET: RSET; command-after-starttls');
    assert.equal(talk.connection.handOver?.fromClient.length, 0);
  });

  it('may be refused', () => {
    const talk = new Talk()
      .client('STARTTLS\r\n')
      .server('454 no\r\n')
      .client('QUIT\r\n')
      .server('221 bye\r\n');
    assert.equal(talk.lines.at(-1), '2 outcome ok 221');
    assert.equal(talk.connection.handOver, null);
  });
});

describe('smtp: bytes that were not captured', () => {
  it('of a long message: its reply ends it', () => {
    const talk = new Talk().client('DATA\r\n').server('354 go\r\n').client('Subject: a\r\n', 1_000_000);
    talk.client('b\r\n').server('250 ok\r\n').client('QUIT\r\n').server('221 bye\r\n');
    assert.deepEqual(talk.lines, [
      '1 query DATA: DATA; truncated',
      '1 outcome ok 250',
      '2 query QUIT: QUIT',
      '2 outcome ok 221',
    ]);
  });

  it('of a chunk are counted', () => {
    const talk = new Talk()
      .client('BDAT 1000 LAST\r\nabc', 997)
      .client('QUIT\r\n')
      .server('250 ok\r\n221 bye\r\n');
    assert.deepEqual(talk.lines.slice(2), ['1 outcome ok 250', '2 outcome ok 221']);
  });

  it('of a reply: the next command finds the next one', () => {
    const talk = new Talk()
      .client('EHLO a\r\n')
      .server('250-b\r\n250-SI', 900)
      .client('HELP\r\n')
      .server('214 x\r\n');
    assert.deepEqual(talk.lines.slice(1), ['1 outcome ok 250', '2 query HELP: HELP', '2 outcome ok 214']);
  });

  it('of commands: the next one that is seen is answered by what follows it', () => {
    const talk = new Talk().client('RCPT TO:<a>\r\nRCPT TO:<b', 900).server('250 a\r\n250 b\r\n');
    talk.client('x> \r\nQUIT\r\n').server('221 bye\r\n');
    assert.deepEqual(talk.lines, [
      '1 query RCPT: RCPT TO:<a>; with ["a"]',
      '2 query RCPT: RCPT TO:<b; with ["<b"]; truncated',
      '3 query QUIT: QUIT',
      '3 outcome ok 221',
    ]);
  });
});

describe('smtp: limits', () => {
  it('long lines are cut, endless pipelines end', () => {
    const talk = new Talk().client(`RCPT TO:<${'x'.repeat(100_000)}>\r\n`);
    assert.equal(talk.recorder.queries[0]?.statement.length, MAX_COMMAND_BYTES);
    assert.equal(talk.recorder.queries[0]?.isTruncated, true);
    assert.equal(talk.client('NOOP\r\n'.repeat(MAX_OUTSTANDING + 1)).connection.isFinished, true);
  });

  it('other bytes', () => {
    assert.equal(new Talk().client('\u0016\u0003\u0001\n').connection.isFinished, true);
    assert.equal(new Talk().server('x\n'.repeat(20)).connection.isFinished, true);
    const word = fc.constantFrom(
      'DATA\r\n',
      'AUTH PLAIN\r\n',
      'BDAT 5\r\n',
      'STARTTLS\r\n',
      '.\r\n',
      '354 x\r\n',
      '250 a\r\n',
      '220-',
      '334\r\n',
      '\n',
      '\r',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.oneof(word, fc.string()), fc.nat(2))), (pieces) => {
        const talk = new Talk();
        for (const [isClient, text, missing] of pieces)
          void (isClient ? talk.client(text, missing) : talk.server(text, missing));
        talk.connection.close();
      }),
      { numRuns: 300 },
    );
  });
});

describe('smtp: recognition', () => {
  const ask = (client: string, server = '', isBeginning = true): string =>
    smtp.recognise({ fromClient: bytesOf(client), fromServer: bytesOf(server), isBeginning });

  it('of mail servers', () => {
    assert.equal(ask('', '220 mail.example ESMTP Exim\r\n'), 'likely');
    assert.equal(ask('', '220 mail.example\r\n'), 'maybe');
    assert.equal(ask('EHLO a\r\n', '220 mail.example\r\n'), 'certain');
    assert.equal(ask('GET / HTTP/1.1\r\n', '220 mail.example ESMTP\r\n'), 'likely');
    assert.equal(ask('ehlo a\r\n'), 'certain');
    assert.equal(ask('MAIL FROM:<a>\r\n', '', false), 'likely');
    assert.equal(ask('RCPT TO:<a>\r\n', '250 ok\r\n', false), 'likely');
  });

  it('not of others', () => {
    assert.equal(ask('USER anonymous\r\n', '220 FTP ready\r\n'), 'no');
    for (const server of [
      '+OK POP3\r\n',
      '* OK IMAP4\r\n',
      'SSH-2.0-x\r\n',
      '\u0016\u0003\u0003',
      'HTTP/1.1 200 OK\r\n',
    ])
      assert.equal(ask('', server), 'no', server);
    for (const client of [
      'GET / HTTP/1.1\r\n',
      'PING\r\n',
      '*1\r\n$4\r\nPING\r\n',
      '\u0016\u0003\u0001',
      'QUIT\r\n',
      'EHLO /x HTTP/1.1\r\n',
    ])
      assert.equal(ask(client), 'no', client);
  });
});
