import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { byteString, bytesOf } from '../../base/bytes.ts';
import type { RequestMessage } from '../../model/request.ts';
import { DecodedMessage } from './decoded-message.ts';
import { decodedForms } from './forms.ts';
import { headerLines } from './headers.ts';

function message(line: string, headers: readonly string[] = [], body = ''): DecodedMessage {
  const [method = '', target = ''] = line.split(' ');
  const of = new DecodedMessage({
    protocol: 'test',
    method,
    target,
    headers: headerLines(`\n${headers.join('\r\n')}`, Infinity),
    isTruncated: false,
  });
  append(of, body);
  return of;
}

function append(of: DecodedMessage, text: string): void {
  const bytes = bytesOf(text);
  of.appendBody(bytes, 0, bytes.length);
}

/** Inputs as `location name=value`. */
function listed(of: RequestMessage): string[] {
  return of.inputs.map((input) => `${input.location} ${input.name}=${input.value}`);
}

const post = (type: string, body: string): string[] =>
  listed(message('POST / HTTP/1.1', type === '' ? [] : [`Content-Type: ${type}`], body));

describe('forms', () => {
  const contains = (value: string, form: string): void => {
    const forms = decodedForms(value);
    assert.equal(forms[0], value);
    assert.ok(forms.includes(form), `${JSON.stringify(forms)} has no ${JSON.stringify(form)}`);
  };

  it('decodes percent one to three times', () => {
    assert.deepEqual(decodedForms('%25252e%25252e%25252fetc'), [
      ...['%25252e%25252e%25252fetc', '%252e%252e%252fetc', '%2e%2e%2fetc', '../etc'],
    ]);
    assert.deepEqual(decodedForms('a%2'), ['a%2']);
    contains('%zz%41%', '%zzA%');
  });

  it('takes plus as space, and not', () => {
    contains('a+b%2Bc', 'a+b+c');
    contains('a+b%2Bc', 'a b+c');
    contains('a+b%252Bc', 'a b+c');
  });

  it('replaces entities, also encoded ones', () => {
    contains('&lt;script&gt;&#x61;&#108;&quot;', '<script>al"');
    contains('%26lt%3Bb%26gt%3B', '<b>');
    contains('&#8364;', '\xe2\x82\xac');
    assert.deepEqual(decodedForms('a&b&;&#;&#xZ;&nope;'), ['a&b&;&#;&#xZ;&nope;']);
  });

  it('decodes base64 of text, also encoded and URL-safe', () => {
    const text = 'cat /etc/passwd; id?>>';
    const base64 = Buffer.from(text).toString('base64');
    contains(base64, text);
    contains(encodeURIComponent(base64), text);
    contains(encodeURIComponent(encodeURIComponent(base64)), text);
    contains(Buffer.from(text).toString('base64url'), text);
    assert.deepEqual(decodedForms('password'), ['password']);
    assert.deepEqual(decodedForms('deadbeef0123'), ['deadbeef0123']);
  });

  it('are distinct, bounded, never longer than the value', () => {
    const part = fc.constantFrom('%25', '%2', '41', '+', '&#x26;', 'amp;', '&lt;', 'Y2F0', '=', '%', '\xff');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const value = parts.join('');
        const forms = decodedForms(value);
        assert.equal(new Set(forms).size, forms.length);
        assert.ok(forms.length <= 16);
        for (const form of forms) assert.ok(form.length <= value.length);
      }),
    );
  });
});

describe('targets', () => {
  it('give segments, and whole paths that are encoded or climb', () => {
    assert.deepEqual(listed(message('GET /a/b.html HTTP/1.1')), ['path =a', 'path =b.html']);
    assert.deepEqual(listed(message('GET /static/../..%2fetc/passwd HTTP/1.1')), [
      ...['path =static', 'path =..', 'path =..%2fetc', 'path =passwd'],
      ...['path =/static/../..%2fetc/passwd', 'path =../..%2fetc/passwd'],
    ]);
  });

  it('give parameters, bare names and names that look like values', () => {
    const line = 'GET /?q=a+b&empty=&ls%20-la&..%2fetc=1&user%5Bname%5D=x&a=b=c;d HTTP/1.1';
    assert.deepEqual(listed(message(line)), [
      ...[
        'query q=a+b',
        'query =ls%20-la',
        'query =..%2fetc',
        'query ../etc=1',
        'query user[name]=x',
        'query a=b=c;d',
      ],
    ]);
  });

  it('give JSON inside of a parameter', () => {
    const line = `GET /?filter=${encodeURIComponent('{"name":{"$ne":"x"}}')} HTTP/1.1`;
    assert.deepEqual(listed(message(line)).slice(1), ['json =$ne', 'json name.$ne=x']);
  });

  it('in other forms', () => {
    assert.deepEqual(listed(message('GET http://intra:80/x?y=1 HTTP/1.1')), [
      ...['query y=1', 'path =x', 'header host=intra:80'],
    ]);
    assert.deepEqual(listed(message('OPTIONS * HTTP/1.1')), []);
    assert.deepEqual(listed(message('CONNECT a:1 HTTP/1.1')), ['header host=a:1']);
  });
});

describe('headers and cookies', () => {
  it('leave out transport, unless it is odd', () => {
    const headers = [
      'Host: shop',
      'Accept: */*',
      'Accept-Language: ${jndi:ldap://x}',
      'Content-Type: %{(#a)}',
    ];
    const more = ['Connection: close', 'User-Agent: () { :; }; id', 'X-Api: 1', 'Sec-Fetch-Mode: cors'];
    assert.deepEqual(listed(message('GET / HTTP/1.1', [...headers, ...more])), [
      ...['header host=shop', 'header accept-language=${jndi:ldap://x}', 'header content-type=%{(#a)}'],
      ...['header user-agent=() { :; }; id', 'header x-api=1'],
    ]);
  });

  it('give every cookie, and credentials decoded', () => {
    const of = message('GET / HTTP/1.1', [
      'Cookie: a=1; b="x y"; lone',
      `Authorization: Basic ${btoa('root:toor')}`,
    ]);
    assert.deepEqual(listed(of).slice(0, 3), ['cookie a=1', 'cookie b=x y', 'cookie =lone']);
    assert.ok(of.inputs.at(-1)?.forms.includes('root:toor'));
  });
});

describe('bodies', () => {
  it('forms', () => {
    assert.deepEqual(post('application/x-www-form-urlencoded; charset=utf-8', 'host=1%3Bid&x=%5B'), [
      ...['form host=1%3Bid', 'form x=%5B'],
    ]);
    assert.deepEqual(post('', 'a=b&c=d'), ['form a=b', 'form c=d']);
  });

  it('JSON leaves', () => {
    const json = '{"a":{"b":["x",1.5e3,{"c":"y"}],"d":true},"$where":"z","n":null,"e":""}';
    const expected = [
      'json a.b[0]=x',
      'json a.b[1]=1.5e3',
      'json a.b[2].c=y',
      'json =$where',
      'json $where=z',
    ];
    assert.deepEqual(post('application/json', json), expected);
    assert.deepEqual(post('', ` \n${json}`), expected);
    assert.deepEqual(post('text/plain', json), expected);
  });

  it('JSON strings as UTF-8', () => {
    const json = String.raw`["\u0063at\t\/etc\"\\","\ud83d\ude00\u20ac","\ud800","\q"]`;
    assert.deepEqual(post('application/json', json), [
      ...[
        'json [0]=cat\t/etc"\\',
        'json [1]=\xf0\x9f\x98\x80\xe2\x82\xac',
        'json [2]=\xef\xbf\xbd',
        'json [3]=\\q',
      ],
    ]);
  });

  it('JSON that is cut or nests deeply', () => {
    assert.deepEqual(post('application/json', '{"a":"b","c":["d","e'), [
      'json a=b',
      'json c[0]=d',
      'json c[1]=e',
    ]);
    const deep = `${'{"k":'.repeat(500)}"needle"${'}'.repeat(500)}`;
    assert.deepEqual(post('application/json', deep), [`json ${Array(16).fill('k').join('.')}=needle`]);
  });

  it('JSON like JSON.parse, where names are plain', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 20 }), (values) => {
        const json = byteString(Buffer.from(JSON.stringify({ values })));
        const expected = values
          .map((value) => byteString(Buffer.from(String(value))))
          .filter((value) => value !== '');
        const of = message('POST / HTTP/1.1', ['Content-Type: application/json'], json);
        assert.deepEqual(
          of.inputs.map((input) => input.value),
          expected,
        );
      }),
    );
  });

  it('multipart fields and files', () => {
    const part = (disposition: string, value: string): string =>
      `--B1\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
    const body = `${part('name="a"', 'one\r\ntwo')}${part('name="f"; filename="../x.php"', '<?php')}--B1--\r\n`;
    const expected = ['multipart a=one\r\ntwo', 'multipart f.filename=../x.php', 'multipart f=<?php'];
    assert.deepEqual(post('multipart/form-data; boundary=B1', body), expected);
    assert.deepEqual(post('multipart/form-data; boundary="B1"', body), expected);
    assert.deepEqual(post('multipart/form-data', body), expected);
    assert.deepEqual(
      post('multipart/form-data; boundary=B1', body.replaceAll('\r\n', '\n')).slice(1),
      expected.slice(1),
    );
    assert.deepEqual(post('multipart/form-data; boundary=B1', body.slice(0, -12)).slice(1), [
      ...['multipart f.filename=../x.php', 'multipart f=<?p'],
    ]);
  });

  it('text in windows, XML leaves', () => {
    const windows = post('text/plain', 'x'.repeat(5000));
    assert.deepEqual(
      windows.map((text) => text.length),
      [4102, 1422],
    );
    const xml = '<?xml version="1.0"?><m a="1"><!-- no --><n>id;</n><![CDATA[<x>]]></m>';
    assert.deepEqual(post('text/xml', xml).slice(1), [
      'body version=1.0',
      'body a=1',
      'body n=id;',
      'body n=<x>',
    ]);
  });

  it('compressed ones', () => {
    const body = byteString(gzipSync('{"a":"needle"}'));
    const headers = ['Content-Type: application/json', 'Content-Encoding: gzip'];
    assert.deepEqual(listed(message('POST / HTTP/1.1', headers, body)), ['json a=needle']);
    const bomb = byteString(gzipSync(Buffer.alloc(8_000_000)));
    assert.doesNotThrow(() => message('POST / HTTP/1.1', headers, bomb).inputs);
  });

  it('show more as they arrive', () => {
    const of = message('POST / HTTP/1.1', [], 'a=b');
    assert.deepEqual(listed(of), ['form a=b']);
    assert.equal(of.inputs, of.inputs);
    append(of, '&c=d');
    assert.deepEqual(listed(of), ['form a=b', 'form c=d']);
  });
});

describe('bounds', () => {
  it('keep room for every part of a message, and say what was left out', () => {
    const query = Array.from({ length: 500 }, (_, index) => `q${String(index)}=1`).join('&');
    const body = Array.from({ length: 500 }, (_, index) => `f${String(index)}=1`).join('&');
    const of = message(`POST /p?${query} HTTP/1.1`, ['Cookie: c=1', 'Host: a'], body);
    assert.equal(of.inputs.filter((input) => input.location === 'query').length, 112);
    assert.equal(of.inputs.filter((input) => input.location === 'form').length, 80);
    assert.deepEqual(listed(of).slice(-3), ['path =p', 'cookie c=1', 'header host=a']);
    assert.ok(of.anomalies.includes('too-many-inputs'));
    const path = message(`GET /${'a/'.repeat(400)}..%2f/x HTTP/1.1`, ['Host: a']);
    assert.deepEqual(listed(path).slice(-2), ['path =..%2f/x', 'header host=a']);
    assert.equal(path.inputs.length, 225);
  });

  it('cut long values', () => {
    const of = message(`GET /?q=${'v'.repeat(6000)} HTTP/1.1`, ['Host: a']);
    assert.equal(of.inputs[0]?.value.length, 4096);
  });
});
