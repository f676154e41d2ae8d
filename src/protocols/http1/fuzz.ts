import { bytesOf } from '../../base/bytes.ts';
import { fixtures } from './fixtures.ts';
import { MAX_INPUTS, MAX_VALUE_BYTES } from '../http/input-list.ts';
import { MAX_BODY_BYTES } from '../http/message.ts';
import { MAX_HEADERS } from '../http/headers.ts';
import { Recorder } from './recorder.ts';
import { Http1Connection } from './stream.ts';

/** Fragments that hostile messages are made of, besides whole fixtures. */
const FRAGMENTS = [
  ...[
    'GET ',
    'POST ',
    '/',
    ' HTTP/1.1',
    ' HTTP/1.0',
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    ':',
    ';',
    ',',
  ],
  ...['Content-Length: 5\r\n', 'Content-Length: 99999999999999999999\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...[
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 X\r\n\r\n',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
  ],
  ...[
    'ffffffffffffffff\r\n',
    '{"a":["b",{"c":1}]}',
    '[[[[[[[[[[[[[[[[[["deep',
    '\\ud83d\\ude00\\u0041\\',
    '"',
    '%25252e%2',
  ],
  ...[
    'a=b&c=%41+d&',
    '?',
    '&',
    '&#x41;&lt;&#',
    'Y2F0IC9ldGMvcGFzc3dk',
    '--b\r\nContent-Disposition: form-data; name="',
  ],
  ...[
    'Content-Type: multipart/form-data; boundary=b\r\n',
    'Content-Encoding: gzip\r\n',
    '<a b="c">d<![CDATA[e',
    '\x1f\x8b',
  ],
  ...[
    'Content-Type: application/json\r\n',
    'Cookie: a="b"; c\r\n',
    'Expect: 100-continue\r\n',
    'Connection: close\r\n',
  ],
];

/**
 * Plays made-up connections: fixtures that are cut, joined, mutated, partly not captured, delivered in pieces of any
 * size; reads everything of every message. Throws when anything throws, a bound is broken or the order of calls is.
 * @param seed the same seed gives the same connections
 */
export function fuzzHttp1(iterations: number, seed: number): void {
  const random = generator(seed);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const recorder = new Recorder();
    const connection = new Http1Connection(recorder);
    const pieces = 1 + random(12);
    for (let piece = 0; piece < pieces; piece++) {
      const isInbound = random(5) < 3;
      const bytes = bytesOf(hostileText(isInbound ? '>' : '<', random));
      let start = 0;
      while (start < bytes.length) {
        const end = random(2) === 0 ? bytes.length : Math.min(bytes.length, start + 1 + random(40));
        const missing = random(20) === 0 ? random(3000) : 0;
        if (isInbound) connection.fromClient(bytes.slice(start, end), missing);
        else connection.fromServer(bytes.slice(start, end), missing);
        start = end;
      }
      checkBounds(connection);
    }
    connection.close();
    if (!connection.isFinished) throw new Error('a closed connection is not finished');
    for (const message of recorder.messages) checkMessage(message);
  }
}

function checkBounds(connection: Http1Connection): void {
  if (connection.bufferedBytes > 48 * 1024) throw new Error('more than 48 KiB are held');
  if (connection.unansweredCount > 64) throw new Error('more than 64 requests wait');
}

function checkMessage(message: Recorder['messages'][number]): void {
  if (message.headers.length > MAX_HEADERS) throw new Error('too many headers');
  if (message.body.length > MAX_BODY_BYTES) throw new Error('body too long');
  if (message.inputs.length > MAX_INPUTS) throw new Error('too many inputs');
  for (const input of message.inputs) {
    if (input.value === '' || input.value.length > MAX_VALUE_BYTES) throw new Error('input out of bounds');
    if (input.forms[0] !== input.value) throw new Error('the first form is not the value');
    if (new Set(input.forms).size !== input.forms.length) throw new Error('forms repeat');
    for (const form of input.forms) {
      for (let index = 0; index < form.length; index++) {
        if (form.charCodeAt(index) > 0xff) throw new Error('a form is no byte string');
      }
    }
  }
  for (const anomaly of message.anomalies) if (anomaly === '') throw new Error('an anomaly without a name');
}

function hostileText(direction: '>' | '<', random: (below: number) => number): string {
  let text = '';
  const parts = 1 + random(4);
  for (let part = 0; part < parts; part++) {
    if (random(2) === 0) {
      const fixture = fixtures[random(fixtures.length)];
      const pieces = fixture?.pieces.filter(([of]) => of === direction) ?? [];
      text += pieces[random(Math.max(1, pieces.length))]?.[1] ?? '';
    } else {
      const count = random(12);
      for (let index = 0; index < count; index++) text += FRAGMENTS[random(FRAGMENTS.length)] ?? '';
    }
    const mutations = random(3);
    for (let mutation = 0; mutation < mutations; mutation++) text = mutate(text, random);
  }
  return text;
}

function mutate(text: string, random: (below: number) => number): string {
  const at = random(text.length + 1);
  switch (random(5)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random(20));
    case 2:
      return text.slice(0, at) + (FRAGMENTS[random(FRAGMENTS.length)] ?? '') + text.slice(at);
    case 3:
      return text.slice(0, at) + text.slice(at, at + random(200)).repeat(1 + random(30)) + text.slice(at);
    default:
      return text.slice(0, at);
  }
}

/** mulberry32 */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
