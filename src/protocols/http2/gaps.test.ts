import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadFixtures, type WireFixture } from '../testing.ts';
import { Http2Connection } from './stream.ts';
import { BEGINNING, frame, get, literal, post, SETTINGS_FRAME, StreamRecorder } from './testing.ts';

const fixtures = loadFixtures(join(import.meta.dirname, 'fixtures'));

interface Limits {
  readonly inbound: number;
  readonly outbound: number;
}

/** Plays what a capture keeps: so many first bytes of each run of bytes in one direction, in pieces of some size. */
function playLimited(
  fixture: WireFixture,
  { inbound, outbound }: Limits,
  skip = 0,
  size = 700,
): StreamRecorder {
  const recorder = new StreamRecorder();
  const connection = new Http2Connection(recorder);
  let direction = '';
  let room = 0;
  for (const [next, text] of fixture.pieces.slice(skip)) {
    const bytes = Buffer.from(text, 'base64');
    if (next !== direction) room = next === '>' ? inbound : outbound;
    direction = next;
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      const kept = Uint8Array.from(piece.subarray(0, room));
      room -= kept.length;
      if (next === '>') connection.fromClient(kept, piece.length - kept.length);
      else connection.fromServer(kept, piece.length - kept.length);
    }
  }
  connection.close();
  return recorder;
}

/** Nothing that is told differs from what was sent: it is that, or not there, or the beginning of it. */
function assertNothingWrong(told: StreamRecorder, truth: StreamRecorder, label: string): void {
  for (const [id, message] of told.messages) {
    const sent = truth.messages.get(id);
    assert.ok(sent !== undefined, `${label}: request ${id} was never sent`);
    assert.ok(message.method === '' || message.method === sent.method, `${label}: ${message.method}`);
    assert.ok(sent.target.startsWith(message.target), `${label}: ${message.target}`);
    for (const [name, value] of message.headers) {
      const isSent = sent.headers.some(
        ([other, whole]) =>
          (other === name || name === '') &&
          (message.isTruncated ? whole.startsWith(value) : whole === value),
      );
      assert.ok(isSent || name === '', `${label}: request ${id} had no ${name}: ${value}`);
    }
    const isLess = message.headers.length < sent.headers.length || message.target !== sent.target;
    if (isLess)
      assert.ok(message.anomalies.length > 0 && message.isTruncated, `${label}: ${id} says all is known`);
    assert.ok(
      Buffer.from(sent.body).indexOf(Buffer.from(message.body.subarray(0, 100))) !== -1,
      `${label}: body of ${id}`,
    );
  }
  for (const [id, status] of told.statuses) {
    assert.equal(status, truth.statuses.get(id), `${label}: status of ${id}`);
  }
}

describe('captures with the limits of the agent', () => {
  for (const fixture of fixtures) {
    it(`${fixture.name}: every request is found, nothing is wrong`, () => {
      const truth = playLimited(fixture, { inbound: Infinity, outbound: Infinity });
      for (const size of [64, 700, 100_000]) {
        const told = playLimited(fixture, { inbound: 8192, outbound: 1024 }, 0, size);
        assertNothingWrong(told, truth, `pieces of ${size}`);
        assert.deepEqual([...told.messages.keys()], [...truth.messages.keys()]);
      }
    });

    it(`${fixture.name}: much less than is captured, or from the middle on`, () => {
      const truth = playLimited(fixture, { inbound: Infinity, outbound: Infinity });
      for (let limit = 1; limit < 400; limit += 3) {
        assertNothingWrong(
          playLimited(fixture, { inbound: limit, outbound: limit }),
          truth,
          `limit ${limit}`,
        );
      }
      for (let skip = 1; skip < fixture.pieces.length; skip++) {
        const told = playLimited(fixture, { inbound: 8192, outbound: 1024 }, skip);
        assertNothingWrong(told, truth, `from piece ${skip} on`);
      }
    });
  }
});

interface Play {
  readonly recorder: StreamRecorder;
  readonly connection: Http2Connection;
}

function open(beginning: Uint8Array = BEGINNING): Play {
  const recorder = new StreamRecorder();
  const connection = new Http2Connection(recorder);
  connection.fromClient(beginning, 0);
  connection.fromServer(SETTINGS_FRAME, 0);
  return { recorder, connection };
}

const HEADERS_END = 0x05;

describe('bytes of requests that were not captured', () => {
  it('inside of DATA are counted', () => {
    const { recorder, connection } = open();
    const body = frame(0, 1, 1, 'x'.repeat(12_000));
    connection.fromClient(Buffer.concat([frame(1, 4, 1, post('/up')), body.subarray(0, 109)]), 11_900);
    connection.fromClient(frame(1, HEADERS_END, 3, get('/next')), 0);
    assert.deepEqual(recorder.lines, [
      '1 request http2 POST /up',
      `1 ended ${JSON.stringify('x'.repeat(60))} truncated`,
      '3 request http2 GET /next',
      '3 ended ""',
    ]);
  });

  it('beyond a frame: the next request is found at a frame, its table entries are unknown', () => {
    const { recorder, connection } = open();
    connection.fromClient(frame(1, HEADERS_END, 1, get('/a', literal('x-user', 'ann', true))), 0);
    connection.fromClient(frame(1, 4, 3, post('/up', '\xbe')), 0);
    connection.fromClient(frame(0, 0, 3, 'x'.repeat(16_384)).subarray(0, 8000), 30_000);
    // The end of some DATA frame, then a request.
    const request = frame(1, HEADERS_END, 5, get('/b', `\xbe${literal('x-b', '1')}`));
    connection.fromClient(Buffer.concat([Buffer.alloc(777, 'x'), frame(0, 1, 3, 'end'), request]), 0);
    assert.deepEqual(recorder.lines.slice(2), [
      '3 request http2 POST /up',
      'unread',
      `3 ended ${JSON.stringify('x'.repeat(60))} truncated`,
      '5 request http2 GET /b',
      '5 ended "" truncated unknown-header-table',
    ]);
    assert.deepEqual(recorder.messages.get(5)?.headers, [['x-b', '1']]);
  });

  it('in a body of zeros do not make frames', () => {
    const { recorder, connection } = open();
    connection.fromClient(frame(1, 4, 1, post('/up')), 0);
    connection.fromClient(frame(0, 0, 1, new Uint8Array(16_384)).subarray(0, 4000), 40_000);
    connection.fromClient(new Uint8Array(4000), 100_000);
    connection.fromClient(Buffer.concat([new Uint8Array(500), frame(8, 0, 0, '\0\0\x10\0')]), 0);
    connection.fromClient(frame(1, HEADERS_END, 3, get('/next')), 0);
    assert.deepEqual(recorder.lines.at(-2), '3 request http2 GET /next');
  });

  it('of a head: what came before is told, later ones are told with what is known', () => {
    const { recorder, connection } = open();
    const block = get('/a?q=1', literal('x-a', '1') + literal('x-long', 'v'.repeat(500), true));
    const bytes = frame(1, HEADERS_END, 1, block);
    connection.fromClient(bytes.subarray(0, 60), bytes.length - 60);
    connection.fromClient(frame(1, HEADERS_END, 3, get('/b', '\xbe')), 0);
    assert.deepEqual(recorder.lines, [
      '1 request http2 GET /a?q=1',
      '1 ended "" truncated cut-head',
      '3 request http2 GET /b',
      '3 ended "" truncated unknown-header-table',
    ]);
  });
});

describe('bytes of replies that were not captured', () => {
  const reply = (id: number): Buffer => frame(1, 4, id, '\x88');

  it('inside of DATA are counted', () => {
    const { recorder, connection } = open();
    connection.fromClient(frame(1, HEADERS_END, 1, get('/a')), 0);
    const data = frame(0, 1, 1, 'y'.repeat(5000));
    connection.fromServer(Buffer.concat([reply(1), data.subarray(0, 1000)]), data.length - 1000);
    assert.deepEqual(recorder.lines.slice(-2), ['1 response 200', '1 response ended']);
  });

  it('beyond a frame: the reply ends with the next request, unless more of it comes', () => {
    for (const isAlive of [false, true]) {
      const { recorder, connection } = open();
      connection.fromClient(frame(1, HEADERS_END, 1, get('/a')), 0);
      connection.fromServer(Buffer.concat([reply(1), frame(0, 0, 1, 'y'.repeat(900))]), 60_000);
      if (isAlive) connection.fromServer(frame(0, 0, 1, 'more'), 0);
      connection.fromClient(frame(1, HEADERS_END, 3, get('/b')), 0);
      assert.deepEqual(recorder.lines.slice(2), [
        '1 response 200',
        ...(isAlive ? [] : ['1 response ended']),
        '3 request http2 GET /b',
        '3 ended ""',
      ]);
    }
  });

  it('a whole reply in a gap: it ends when a younger request was answered', () => {
    const { recorder, connection } = open();
    for (const id of [1, 3]) connection.fromClient(frame(1, HEADERS_END, id, get(`/${id}`)), 0);
    connection.fromServer(Buffer.concat([reply(1), frame(0, 1, 1, 'y')]), 9000);
    connection.fromClient(frame(1, HEADERS_END, 5, get('/5')), 0);
    assert.equal(recorder.lines.includes('3 response ended'), false);
    connection.fromServer(Buffer.concat([reply(5), frame(0, 1, 5, 'y')]), 0);
    assert.deepEqual(recorder.lines.slice(-3), ['5 response 200', '5 response ended', '3 response ended']);
  });

  it('an unknown status is not told', () => {
    const { recorder, connection } = open();
    connection.fromClient(frame(1, HEADERS_END, 1, get('/a')), 0);
    connection.fromServer(new Uint8Array(0), 5000);
    connection.fromServer(Buffer.concat([frame(1, HEADERS_END, 1, '\xbe'), frame(6, 0, 0, '12345678')]), 0);
    assert.deepEqual(recorder.lines.slice(2), ['1 response ended']);
  });
});
