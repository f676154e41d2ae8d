import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseMessage } from './parser.ts';
import { FIRST_NAME, message, name, REPLY, uint16 } from './testing/messages.ts';

const parse = (bytes: Uint8Array, isCut = false) => {
  const parsed = parseMessage(bytes, 0, bytes.length, isCut);
  assert.ok(parsed !== null);
  return parsed;
};
const answerOf = (type: number, data: Uint8Array) =>
  parse(message({ flags: REPLY, questions: [[name('a.test'), type]], answers: [{ type, data }] })).answers[0]
    ?.text;

describe('DNS messages', () => {
  it('reads the header and the question', () => {
    const { id, isReply, opcode, questions, anomalies, isWhole } = parse(
      message({ id: 0xabcd, questions: [[name('Www.Example.com'), 28, 0x8001]] }),
    );
    assert.deepEqual([id, isReply, opcode, anomalies, isWhole], [0xabcd, false, 0, [], true]);
    assert.deepEqual(questions, [{ name: 'Www.Example.com', type: 28, class: 1 }]);
  });

  it('writes what records say', () => {
    assert.equal(answerOf(1, Uint8Array.of(192, 0, 2, 1)), '192.0.2.1');
    assert.equal(
      answerOf(28, Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1])),
      '2001:db8::1',
    );
    assert.equal(answerOf(5, FIRST_NAME), 'a.test');
    assert.equal(
      answerOf(15, Buffer.concat([uint16(10), Buffer.from('\x04mail\xc0\x0c', 'latin1')])),
      '10 mail.a.test',
    );
    assert.equal(answerOf(33, Buffer.concat([uint16(1, 2, 389), FIRST_NAME])), '1 2 389 a.test');
    assert.equal(
      answerOf(65, Buffer.concat([uint16(1), name(''), uint16(1, 3), Buffer.from('\x02h2')])),
      '1 .',
    );
    assert.equal(answerOf(16, Buffer.from('\x03one\x00\x03two')), 'onetwo');
    assert.equal(answerOf(6, name('x')), null);
    assert.equal(answerOf(1, Uint8Array.of(1, 2, 3)), null);
    assert.equal(answerOf(16, Buffer.from('\x09short')), null);
    assert.equal(answerOf(15, uint16(10)), null);
    const long = Buffer.concat(
      Array.from({ length: 10 }, () => Buffer.from(`\xff${'t'.repeat(255)}`, 'latin1')),
    );
    assert.equal(answerOf(16, long)?.length, 1024);
  });

  it('escapes dots inside labels, and keeps other bytes', () => {
    const label = Buffer.from('\x05a.b\\\xff\x01c\x00', 'latin1');
    assert.equal(parse(message({ questions: [[label, 1]] })).questions[0]?.name, 'a\\.b\\\\\xff.c');
    assert.equal(parse(message({ questions: [[name(''), 2]] })).questions[0]?.name, '.');
  });

  it('takes names of 255 octets, and no longer ones', () => {
    const labels = ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63)];
    const longest = [...labels, 'd'.repeat(61)].join('.');
    assert.equal(parse(message({ questions: [[name(longest), 1]] })).questions[0]?.name, longest);
    const over = parse(message({ questions: [[name([...labels, 'd'.repeat(62)].join('.')), 1]] }));
    assert.deepEqual([over.questions, over.anomalies, over.isWhole], [[], ['bad-name'], false]);
  });

  it('follows pointers only backwards', () => {
    const loops = {
      'to itself': Uint8Array.of(0xc0, 12),
      'to its own label': Uint8Array.of(1, 0x61, 0xc0, 12),
      forward: Uint8Array.of(0xc0, 200),
      'into the header': Uint8Array.of(0xc0, 2),
      'reserved label': Uint8Array.of(0x41, 0),
    };
    for (const [what, bytes] of Object.entries(loops)) {
      const { anomalies, isWhole } = parse(message({ questions: [[bytes, 1]] }));
      assert.deepEqual([anomalies, isWhole], [['bad-name'], false], what);
    }
    // Two answers whose data point at each other.
    const pair = parse(
      message({
        flags: REPLY,
        questions: [[name('a'), 5]],
        answers: [
          { type: 5, data: Uint8Array.of(0xc0, 45) },
          { type: 5, data: Uint8Array.of(0xc0, 31) },
        ],
      }),
    );
    assert.equal(pair.answers[0]?.text, null);
  });

  it('follows a long chain of pointers to its end', () => {
    const links = Buffer.concat(
      Array.from({ length: 5000 }, (_, index) => uint16(0xc000 | (index === 0 ? 12 : 31 + 2 * (index - 1)))),
    );
    const bytes = message({
      flags: REPLY,
      questions: [[name('a'), 5]],
      answers: [
        { type: 10, data: links },
        { type: 5, data: uint16(0xc000 | (31 + 2 * 4999)) },
      ],
    });
    assert.equal(parse(bytes).answers[1]?.text, 'a');
  });

  it('names what is odd', () => {
    const good = message({ questions: [[name('a.test'), 1]] });
    assert.deepEqual(parse(Buffer.concat([good, Buffer.of(1)])).anomalies, ['trailing-bytes']);
    assert.deepEqual(parse(good.subarray(0, -1)).anomalies, ['short-message']);
    assert.deepEqual(parse(good.subarray(0, -1), true).anomalies, []);
    assert.equal(parseMessage(good, 0, 11, false), null);
  });

  it('reads EDNS: upper bits of the code, words about an error', () => {
    const options = Buffer.concat([uint16(10, 2, 0xabcd), uint16(15, 7, 18), Buffer.from('words')]);
    const opt = { name: name(''), type: 41, data: options };
    const bytes = message({ flags: REPLY | 7, questions: [[name('a'), 1]], additionals: [opt] });
    bytes[bytes.length - options.length - 6] = 1;
    const { code, extendedError, anomalies } = parse(bytes);
    assert.deepEqual([code, extendedError, anomalies], [23, 'words', []]);
  });

  it('looks at a bounded number of questions and answers', () => {
    const many = message({ questions: Array.from({ length: 300 }, () => [name('a'), 1] as const) });
    assert.deepEqual(
      [parse(many).questions.length, parse(many).questionCount, parse(many).isWhole],
      [32, 300, true],
    );
    const data = Uint8Array.of(1, 2, 3, 4);
    const answers = Array.from({ length: 300 }, () => ({ type: 1, data }));
    const reply = parse(message({ flags: REPLY, questions: [[name('a'), 1]], answers }));
    assert.deepEqual([reply.answers.length, reply.answerCount], [64, 300]);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 400 }), fc.boolean(), (bytes, isCut) => {
        // Small counts, so that sections are reached.
        for (const at of [4, 6, 8, 10]) bytes[at] = 0;
        const parsed = parse(bytes, isCut);
        assert.ok(parsed.answers.length <= 64);
      }),
      { numRuns: 2000 },
    );
  });
});
