import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { bytesOf } from '../../base/bytes.ts';
import { InputList } from '../http/input-list.ts';
import { loadFixtures } from '../testing.ts';
import { collectGrpc, httpStatusOfGrpc } from './grpc.ts';
import { collectProtobuf } from './protobuf.ts';
import { Http2Connection } from './stream.ts';
import {
  BEGINNING,
  frame,
  grpcMessage,
  listed,
  literal,
  post,
  SETTINGS_FRAME,
  StreamRecorder,
} from './testing.ts';

/** A field with a length. */
function field(number: number, value: string): string {
  return `${varint(number * 8 + 2)}${varint(value.length)}${value}`;
}

function varint(value: number): string {
  return value < 128
    ? String.fromCharCode(value)
    : String.fromCharCode((value & 127) | 128) + varint(value >> 7);
}

function protobuf(message: string): string[] {
  const list = new InputList();
  collectProtobuf(bytesOf(message), list);
  return list.inputs.map(({ name, value }) => `${name}=${value}`);
}

describe('protobuf without a schema', () => {
  it('gives text by the path of its field', () => {
    assert.deepEqual(protobuf(field(1, 'ann') + field(200, 'x')), ['1=ann', '200=x']);
    const nested = field(2, field(1, '; id') + field(3, field(7, '../etc')));
    assert.deepEqual(protobuf(nested), ['2.1=; id', '2.3.7=../etc']);
    assert.deepEqual(protobuf(field(1, 'J\xc3\xbcrgen\nM\xc3\xbcller')), ['1=J\xc3\xbcrgen\nM\xc3\xbcller']);
  });

  it('passes over numbers', () => {
    assert.deepEqual(protobuf(`\x08\x96\x01\x11${'\0'.repeat(8)}\x1d${'\0'.repeat(4)}${field(4, 'x')}`), [
      '4=x',
    ]);
  });

  it('gives what may be both text and a message as both', () => {
    // Field 1 with ten characters: a line feed, a line feed and text.
    assert.deepEqual(protobuf(field(5, field(1, 'A'.repeat(10)))), [
      `5=\n\n${'A'.repeat(10)}`,
      `5.1=${'A'.repeat(10)}`,
    ]);
  });

  it('gives bytes that are neither as they are', () => {
    assert.deepEqual(protobuf(field(1, '\xff;id;\x01')), ['1=\xff;id;\x01']);
  });

  it('takes what there is of a cut message', () => {
    assert.deepEqual(protobuf((field(1, 'ann') + field(2, 'a long value')).slice(0, -4)), [
      '1=ann',
      '2=a long v',
    ]);
  });

  it('is bounded in depth and number', () => {
    let deep = 'needle\x01';
    for (let level = 0; level < 30; level++) deep = field(1, deep);
    assert.equal(protobuf(deep).length, 1);
    assert.ok(protobuf(field(1, 'x').repeat(5000)).length <= 256);
    const twice = (text: string): string => field(1, text) + field(2, text);
    let wide = 'x\x01';
    for (let level = 0; level < 12; level++) wide = twice(wide);
    assert.ok(protobuf(wide).length <= 256);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        collectProtobuf(bytes, new InputList());
        collectGrpc(bytes, 'application/grpc', 'gzip', new InputList());
      }),
      { numRuns: 500 },
    );
  });
});

function call(type: string, body: Uint8Array, more = ''): StreamRecorder {
  const recorder = new StreamRecorder();
  const connection = new Http2Connection(recorder);
  const head = post('/shop.Store/Find', literal('content-type', type) + more);
  connection.fromClient(Buffer.concat([BEGINNING, frame(1, 4, 1, head), frame(0, 1, 1, body)]), 0);
  return recorder;
}

describe('calls', () => {
  const path = ['path =shop.Store', 'path =Find'];

  it('give the fields of every message', () => {
    const body = Buffer.concat([grpcMessage(field(1, 'one')), grpcMessage(''), grpcMessage(field(1, 'two'))]);
    const message = call('application/grpc+proto', body).messages.get(1);
    assert.equal(message?.protocol, 'grpc');
    assert.deepEqual(listed(message), [...path, 'body 1=one', 'body 1=two']);
  });

  it('compressed', () => {
    const body = grpcMessage(gzipSync(field(1, 'one')), 1);
    const message = call('application/grpc', body, literal('grpc-encoding', 'gzip')).messages.get(1);
    assert.deepEqual(
      listed(message).filter((line) => line.startsWith('body')),
      ['body 1=one'],
    );
  });

  it('of JSON', () => {
    const message = call('application/grpc+json', grpcMessage('{"a":"b"}')).messages.get(1);
    assert.deepEqual(listed(message), [...path, 'json a=b']);
  });

  it('whose head is unknown, on a connection that was joined late', () => {
    const recorder = new StreamRecorder();
    const connection = new Http2Connection(recorder);
    const body = grpcMessage(field(1, '; id'));
    const call = (id: number): Buffer =>
      Buffer.concat([frame(1, 4, id, '\x83\xc0\xbf\xbe'), frame(0, 1, id, body)]);
    connection.fromClient(call(101), 0);
    const trailers = frame(1, 5, 101, literal('grpc-status', '5'));
    connection.fromServer(Buffer.concat([frame(1, 4, 101, '\x88\xbe'), frame(0, 0, 101, 'x'), trailers]), 0);
    connection.fromClient(call(103), 0);
    assert.deepEqual(listed(recorder.messages.get(101)), ['body 1=; id']);
    assert.deepEqual(recorder.messages.get(101)?.anomalies, ['unknown-header-table']);
    assert.deepEqual(
      recorder.lines.filter((line) => !line.includes('ended "')),
      ['101 request http2 POST ', '101 response 404', '101 response ended', '103 request grpc POST '],
    );
  });

  it('that are cut', () => {
    const body = grpcMessage(field(1, 'a longer value')).subarray(0, 12);
    assert.deepEqual(listed(call('application/grpc', body).messages.get(1)), [...path, 'body 1=a lon']);
  });

  it('of a real client: inputs of a Struct, also compressed', () => {
    const fixture = loadFixtures(join(import.meta.dirname, 'fixtures')).find(
      ({ name }) => name === 'grpc-python',
    );
    const recorder = new StreamRecorder();
    const connection = new Http2Connection(recorder);
    for (const [direction, text] of fixture?.pieces ?? []) {
      if (direction === '>') connection.fromClient(Buffer.from(text, 'base64'), 0);
    }
    const first = listed(recorder.messages.get(1));
    assert.ok(first.includes('body 1.2.3=127.0.0.1; id'), first.join('\n'));
    assert.ok(first.includes('body 1.2.5.1.2.3=../../etc/passwd'), first.join('\n'));
    assert.ok(first.includes('header x-user=ann'));
    const compressed = listed(recorder.messages.get(15));
    assert.ok(
      compressed.some((line) => line.endsWith("' or 1=1 --")),
      compressed.join('\n'),
    );
  });
});

describe('status of a call', () => {
  function statusOf(...replies: Buffer[]): string[] {
    const recorder = new StreamRecorder();
    const connection = new Http2Connection(recorder);
    const head = post('/s/m', literal('content-type', 'application/grpc'));
    connection.fromClient(Buffer.concat([BEGINNING, frame(1, 5, 1, head)]), 0);
    connection.fromServer(Buffer.concat([SETTINGS_FRAME, ...replies]), 0);
    return recorder.lines.slice(2);
  }
  const trailers = (status: string): Buffer => frame(1, 5, 1, literal('grpc-status', status));

  it('stands in the trailers', () => {
    assert.deepEqual(statusOf(frame(1, 4, 1, '\x88'), frame(0, 0, 1, 'x')), []);
    assert.deepEqual(statusOf(frame(1, 4, 1, '\x88'), trailers('0')), ['1 response 200', '1 response ended']);
    assert.deepEqual(statusOf(frame(1, 4, 1, '\x88'), trailers('7')), ['1 response 403', '1 response ended']);
  });

  it('or in the head', () => {
    assert.deepEqual(statusOf(frame(1, 5, 1, `\x88${literal('grpc-status', '12')}`)), [
      '1 response 501',
      '1 response ended',
    ]);
    assert.deepEqual(statusOf(frame(1, 5, 1, '\x8d')), ['1 response 404', '1 response ended']);
  });

  it('is not told when it is unknown', () => {
    const recorder = new StreamRecorder();
    const connection = new Http2Connection(recorder);
    const head = post('/s/m', literal('content-type', 'application/grpc'));
    connection.fromClient(Buffer.concat([BEGINNING, frame(1, 5, 1, head)]), 0);
    const data = frame(0, 0, 1, 'x'.repeat(100));
    connection.fromServer(Buffer.concat([SETTINGS_FRAME, frame(1, 4, 1, '\x88'), data]), 500);
    connection.fromServer(frame(1, 5, 1, '\xbe'), 0);
    assert.deepEqual(recorder.lines.slice(2), ['1 response ended']);
  });

  it('maps to HTTP', () => {
    assert.deepEqual(
      ['0', '1', '5', '13', '16', '17', '', 'x', '-1'].map(httpStatusOfGrpc),
      [200, 499, 404, 500, 401, 0, 0, 0, 0],
    );
  });
});
