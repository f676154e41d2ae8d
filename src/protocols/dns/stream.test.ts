import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WireRecorder } from '../testing.ts';
import { MAX_OPEN_QUESTIONS } from './exchange.ts';
import { DnsDatagrams, DnsStream } from './stream.ts';
import { FIRST_NAME, frame, message, name, REPLY, uint16 } from './testing/messages.ts';

const address = (last: number) => Uint8Array.of(192, 0, 2, last);
const ask = (id: number, text: string, type = 1) => message({ id, questions: [[name(text), type]] });
const answer = (id: number, text: string, type = 1, flags = REPLY) =>
  message({
    id,
    flags,
    questions: [[name(text), type]],
    answers: (flags & 0xf) === 0 ? [{ type: 1, data: address(id) }] : [],
  });

function datagrams(): { socket: DnsDatagrams; lines: string[] } {
  const recorder = new WireRecorder();
  return { socket: new DnsDatagrams(recorder), lines: recorder.lines };
}

function stream(): { connection: DnsStream; lines: string[] } {
  const recorder = new WireRecorder();
  return { connection: new DnsStream(recorder), lines: recorder.lines };
}

describe('DNS over UDP', () => {
  it('puts answers to questions by number, in any order', () => {
    const { socket, lines } = datagrams();
    socket.fromClient(ask(1, 'a.test'), 0);
    socket.fromClient(ask(2, 'b.test'), 0);
    socket.fromServer(answer(2, 'B.TEST'), 0);
    socket.fromServer(answer(1, 'a.test', 1, REPLY | 2), 0);
    assert.deepEqual(lines, [
      '1 query A: a.test',
      '2 query A: b.test',
      '2 outcome ok 1 rows 192.0.2.2',
      '1 outcome error SERVFAIL 0 rows',
    ]);
    assert.equal(socket.openCount, 0);
  });

  it('believes no answer to another question, and none twice', () => {
    const { socket, lines } = datagrams();
    socket.fromClient(ask(1, 'a.test'), 0);
    socket.fromServer(answer(1, 'evil.test'), 0);
    socket.fromServer(answer(1, 'a.test', 28), 0);
    socket.fromServer(answer(3, 'a.test'), 0);
    assert.equal(lines.length, 1);
    socket.fromServer(answer(1, 'a.test'), 0);
    socket.fromServer(answer(1, 'a.test'), 0);
    assert.equal(lines.length, 2);
  });

  it('tells a question once that is sent again', () => {
    const { socket, lines } = datagrams();
    socket.fromClient(ask(1, 'a.test'), 0);
    socket.fromClient(ask(1, 'a.test'), 0);
    assert.equal(lines.length, 1);
    socket.fromServer(answer(1, 'a.test'), 0);
    socket.fromClient(ask(1, 'a.test'), 0);
    assert.equal(lines.length, 3);
  });

  it('tells questions with the same number apart, each by a number of its own while it is open', () => {
    const { socket, lines } = datagrams();
    socket.fromClient(ask(1, 'a.test'), 0);
    socket.fromClient(ask(1, 'b.test'), 0);
    socket.fromServer(answer(1, 'b.test'), 0);
    socket.fromServer(answer(1, 'a.test'), 0);
    socket.fromClient(ask(1, 'c.test'), 0);
    assert.deepEqual(lines, [
      '1 query A: a.test',
      '65537 query A: b.test',
      '65537 outcome ok 1 rows 192.0.2.1',
      '1 outcome ok 1 rows 192.0.2.1',
      '1 query A: c.test',
    ]);
  });

  it('ends the question for a refusal that names none', () => {
    const { socket, lines } = datagrams();
    socket.fromClient(ask(5, 'a.test'), 0);
    socket.fromServer(message({ id: 5, flags: REPLY | 5 }), 0);
    assert.equal(lines[1], '5 outcome error REFUSED 0 rows');
  });

  it('reads an answer that was captured in part', () => {
    const { socket, lines } = datagrams();
    socket.fromClient(ask(9, 'a.test'), 0);
    const answers = [1, 2, 3].map((last) => ({ type: 1, data: address(last) }));
    const reply = message({ id: 9, flags: REPLY, questions: [[name('a.test'), 1]], answers });
    socket.fromServer(reply.subarray(0, -6), 6);
    assert.equal(lines[1], '9 outcome ok 3 rows 192.0.2.1 192.0.2.2');
  });

  it('tells several questions each with its own answers', () => {
    const { socket, lines } = datagrams();
    const [first, second] = [name('a.local'), name('b.local')];
    socket.fromClient(
      message({
        id: 0,
        flags: 0,
        questions: [
          [first, 1, 0x8001],
          [second, 1],
          [second, 28],
        ],
      }),
      0,
    );
    const record = (owner: Uint8Array, last: number) => ({
      name: owner,
      type: 1,
      class: 0x8001,
      data: address(last),
    });
    socket.fromServer(message({ id: 0, flags: 0x8400, answers: [record(name('B.local'), 2)] }), 0);
    socket.fromServer(message({ id: 0, flags: 0x8400, answers: [record(first, 1), record(first, 3)] }), 0);
    assert.deepEqual(lines, [
      '0 query A: a.local',
      '65536 query A: b.local',
      '131072 query AAAA: b.local',
      '65536 outcome ok 1 rows 192.0.2.2',
      '0 outcome ok 2 rows 192.0.2.1 192.0.2.3',
    ]);
    assert.equal(socket.openCount, 1);
  });

  it('answers several echoed questions one by one', () => {
    const { socket, lines } = datagrams();
    const questions = [
      [name('a.test'), 1],
      [name('b.test'), 1],
    ] as const;
    socket.fromClient(message({ id: 4, questions }), 0);
    socket.fromServer(
      message({ id: 4, flags: REPLY, questions, answers: [{ type: 1, data: address(1) }] }),
      0,
    );
    assert.deepEqual(lines.slice(2), ['4 outcome ok 1 rows 192.0.2.1', '65540 outcome ok 0 rows']);
  });

  it('tells damaged questions with what is odd, and passes over what is no message', () => {
    const { socket, lines } = datagrams();
    socket.fromClient(message({ id: 1, questions: [[Uint8Array.of(0xc0, 12), 1]] }), 0);
    socket.fromClient(Buffer.concat([ask(2, 'a.test'), Buffer.of(0)]), 0);
    socket.fromClient(Uint8Array.of(1, 2, 3), 0);
    socket.fromServer(ask(2, 'a.test'), 0);
    socket.fromClient(answer(2, 'a.test'), 0);
    assert.deepEqual(lines, ['1 query QUERY: ; bad-name', '2 query A: a.test; trailing-bytes']);
    socket.fromServer(message({ id: 1, flags: REPLY | 1 }), 0);
    assert.equal(lines[2], '1 outcome error FORMERR 0 rows');
  });

  it('names updates by what they do', () => {
    const { socket, lines } = datagrams();
    const update = { type: 1, data: address(1) };
    socket.fromClient(
      message({ id: 3, flags: 5 << 11, questions: [[name('zone.test'), 6]], authorities: [update] }),
      0,
    );
    assert.deepEqual(lines, ['3 query UPDATE: zone.test']);
  });

  it('keeps a bounded number of open questions', () => {
    const { socket } = datagrams();
    for (let id = 0; id < 3 * MAX_OPEN_QUESTIONS; id++) socket.fromClient(ask(id, 'a.test'), 0);
    assert.equal(socket.openCount, MAX_OPEN_QUESTIONS);
  });
});

describe('DNS over TCP', () => {
  it('reads pipelined questions and answers out of order', () => {
    const { connection, lines } = stream();
    connection.fromClient(Buffer.concat([frame(ask(1, 'a.test')), frame(ask(2, 'b.test'))]), 0);
    connection.fromServer(Buffer.concat([frame(answer(2, 'b.test')), frame(answer(1, 'a.test'))]), 0);
    assert.deepEqual(lines, [
      '1 query A: a.test',
      '2 query A: b.test',
      '2 outcome ok 1 rows 192.0.2.2',
      '1 outcome ok 1 rows 192.0.2.1',
    ]);
  });

  it('skips what was not captured of an answer, by its length', () => {
    const { connection, lines } = stream();
    const answers = Array.from({ length: 200 }, (_, last) => ({ type: 1, data: address(last) }));
    const long = frame(message({ id: 1, flags: REPLY, questions: [[name('a.test'), 1]], answers }));
    for (const [id, gap] of [
      [1, 2000],
      [1, 1000],
    ] as const) {
      connection.fromClient(frame(ask(id, 'a.test')), 0);
      connection.fromServer(long.subarray(0, long.length - 2000), gap);
      if (gap < 2000) connection.fromServer(long.subarray(long.length - 2000 + gap), 0);
    }
    connection.fromClient(frame(ask(2, 'b.test')), 0);
    connection.fromServer(frame(answer(2, 'b.test')), 0);
    assert.deepEqual(
      lines.filter((line) => line.includes('outcome')).map((line) => line.slice(0, 30)),
      ['1 outcome ok 200 rows 192.0.2.', '1 outcome ok 200 rows 192.0.2.', '2 outcome ok 1 rows 192.0.2.2'],
    );
    assert.equal(connection.isFinished, false);
  });

  it('finds the next message after a gap over several', () => {
    const { connection, lines } = stream();
    connection.fromClient(frame(ask(1, 'a.test')).subarray(0, 5), 500);
    connection.fromClient(Buffer.from('neither length nor header'), 0);
    connection.fromClient(frame(ask(2, 'b.test')), 0);
    connection.fromServer(frame(answer(1, 'a.test')).subarray(0, 1), 5000);
    connection.fromServer(frame(answer(2, 'b.test')), 0);
    assert.deepEqual(lines.slice(-2), ['2 query A: b.test', '2 outcome ok 1 rows 192.0.2.2']);
  });

  it('tells a question whose end was not captured, or never came', () => {
    const { connection, lines } = stream();
    const padding = { name: name(''), type: 41, data: new Uint8Array(300) };
    const long = frame(message({ id: 1, questions: [[name('a.test'), 1]], additionals: [padding] }));
    connection.fromClient(long.subarray(0, 100), long.length - 100);
    connection.fromClient(long.subarray(0, 1), 0);
    connection.fromClient(Buffer.concat([long.subarray(1), frame(ask(3, 'c.test')).subarray(0, -1)]), 0);
    connection.close();
    assert.deepEqual(lines, ['1 query A: a.test; truncated', '3 query QUERY: ; truncated']);
  });

  it('is finished with lengths that no message has', () => {
    const { connection, lines } = stream();
    connection.fromClient(uint16(5, 0, 0, 0), 0);
    assert.equal(connection.isFinished, true);
    connection.fromClient(frame(ask(1, 'a.test')), 0);
    connection.close();
    assert.deepEqual(lines, []);
  });

  it('reads the beginning of the longest message and drops the rest', () => {
    const { connection, lines } = stream();
    const answers = [
      { type: 1, data: address(1) },
      { type: 10, data: new Uint8Array(60_000) },
      { name: FIRST_NAME, type: 1, data: address(2) },
    ];
    connection.fromClient(frame(ask(1, 'a.test')), 0);
    const reply = frame(message({ id: 1, flags: REPLY, questions: [[name('a.test'), 1]], answers }));
    for (let at = 0; at < reply.length; at += 999) connection.fromServer(reply.subarray(at, at + 999), 0);
    assert.equal(lines[1], '1 outcome ok 3 rows 192.0.2.1');
  });
});
