import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RequestInput } from '../model/request.ts';
import { decideByContent, standsIn } from './content.ts';
import { RequestState } from './request-state.ts';
import { makeMessage, makeProcess } from './testing/timeline.ts';

function requestOf(...inputs: (string | RequestInput)[]): RequestState {
  const list = inputs.map((input): RequestInput => {
    if (typeof input !== 'string') return input;
    return { location: 'query', name: 'q', value: input, forms: [input] };
  });
  const connection = {
    id: 1,
    family: 'ipv4',
    client: { address: '', port: 1 },
    server: { address: '', port: 2 },
  } as const;
  const message = { ...makeMessage(''), inputs: list };
  return new RequestState('s', 1, 0, connection, message, makeProcess(1, 1), { tid: 1, unit: 1, timeNs: 1 });
}

describe('whether a value stands in an effect', () => {
  const cases: readonly (readonly [value: string, sink: string, stands: boolean, why: string])[] = [
    ['report7', 'report7', true, 'the whole'],
    ['report7', '/srv/report7.txt', true, 'a part between separators'],
    ['report7', '/srv/report70', false, 'the beginning of a longer word'],
    ['report7', '/srv/myreport7', false, 'the end of a longer word'],
    ['report7', 'report70 report7', true, 'a later place'],
    ['; id', 'ping -c1 x; id', true, 'its edges are no letters'],
    ['/etc/x', 'cat/etc/x', true, 'a separator at its edge'],
    ['abc', 'abc', false, 'too short'],
    ['abcd', 'abcd', true, 'just long enough'],
    ['12345', 'port 12345', false, 'digits are everywhere'],
    ['123456', 'id 123456', true, 'so many digits are not'],
    ['localhost', 'ping localhost', false, 'every request has it'],
    ['', 'anything', false, 'nothing'],
    ['\xc3\xa4\xc3\xb6', '/srv/\xc3\xa4\xc3\xb6', true, 'bytes that are no ASCII'],
  ];
  for (const [value, sink, stands, why] of cases)
    test(`${JSON.stringify(value)} in ${JSON.stringify(sink)}: ${why}`, () => {
      assert.equal(standsIn(requestOf(value), ['other', sink]), stands);
    });

  test('each form of each input counts', () => {
    const request = requestOf('none', {
      location: 'json',
      name: 'file',
      value: 'a%20b%2Fc',
      forms: ['a%20b%2Fc', 'a b/c'],
    });
    assert.equal(standsIn(request, ['/srv/a b/c']), true);
  });

  test('headers that are the same for every request of a client do not', () => {
    for (const [name, stands] of [
      ['host', false],
      ['user-agent', false],
      ['referer', false],
      ['origin', false],
      ['x-tenant', true],
    ] as const) {
      const request = requestOf({ location: 'header', name, value: 'example', forms: ['example'] });
      assert.equal(standsIn(request, ['/srv/example']), stands, name);
    }
    // A parameter of that name is the client's choice.
    const request = requestOf({ location: 'query', name: 'host', value: 'example', forms: ['example'] });
    assert.equal(standsIn(request, ['ping example']), true);
  });

  test('inputs that arrive later are looked at', () => {
    const request = requestOf('first');
    assert.equal(standsIn(request, ['second']), false);
    const { message } = request;
    Object.assign(message, { inputs: requestOf('second').message.inputs });
    assert.equal(standsIn(request, ['second']), true);
  });

  test('no sinks, no inputs', () => {
    assert.equal(standsIn(requestOf('value'), []), false);
    assert.equal(standsIn(requestOf(), ['value']), false);
  });
});

describe('which of several', () => {
  const alpha = requestOf('alpha');
  const bravo = requestOf('bravo');

  test('exactly one decides', () => {
    assert.equal(decideByContent([alpha, bravo], ['/srv/bravo']), bravo);
    assert.equal(decideByContent([alpha], ['/srv/alpha']), alpha);
  });

  test('none or two do not', () => {
    assert.equal(decideByContent([alpha, bravo], ['/srv/charlie']), null);
    assert.equal(decideByContent([alpha, bravo], ['alpha', 'bravo']), null);
    assert.equal(decideByContent([requestOf('alpha'), alpha], ['alpha']), null);
    assert.equal(decideByContent([], ['alpha']), null);
  });

  test('an ordinary word of a path is no evidence', () => {
    const logs = requestOf({ location: 'path', name: '', value: 'logs', forms: ['logs'] });
    assert.equal(decideByContent([logs, bravo], ['/var/logs/app/current']), null);
  });
});
