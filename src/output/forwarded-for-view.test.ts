import { strict as assert } from 'node:assert';
import { suite, test } from 'node:test';
import type { Hop } from '../model/hop.ts';
import type { Request } from '../model/request.ts';
import { forwardedForView } from './forwarded-for-view.ts';
import { sampleProcess, sampleRequest } from './sample-story.ts';

type Headers = Request['message']['headers'];

function withHeaders(headers: Headers, protocol = 'http1'): Request {
  const request = sampleRequest();
  return { ...request, message: { ...request.message, protocol, headers } };
}

function behind(
  front: Request | null,
  fields: Partial<Hop> = {},
  own = sampleRequest({ id: 'r-own' }),
): Request {
  const hop: Hop = {
    proxy: sampleProcess({ pid: 812, comm: 'nginx' }),
    front,
    grade: 'linked',
    reason: 'why',
    candidates: front === null ? [] : [front],
    ...fields,
  };
  return { ...own, hop };
}

suite('what a message claims', () => {
  const claimed = (headers: Headers, protocol?: string): string | undefined => {
    const view = forwardedForView(withHeaders(headers, protocol));
    if (view !== null) {
      assert.equal(view.known, 'header');
      assert.equal(view.trusted, false, 'never');
      assert.equal(view.request, null);
    }
    return view?.client === undefined ? undefined : `${view.client?.ip} ${view.client?.port}`;
  };

  test('is the first address of the usual headers', () => {
    assert.equal(claimed([['x-forwarded-for', '192.0.2.7, 10.0.0.1']]), '192.0.2.7 0');
    assert.equal(claimed([['x-real-ip', '2001:db8::7']]), '2001:db8::7 0');
    assert.equal(claimed([['x-forwarded-for', '192.0.2.7:4711']]), '192.0.2.7 4711');
    assert.equal(
      claimed([['forwarded', 'proto=https;For="[2001:db8::7]:4711", for=10.0.0.1']]),
      '2001:db8::7 4711',
    );
    assert.equal(
      claimed([
        ['x-real-ip', '192.0.2.8'],
        ['forwarded', 'for=192.0.2.7'],
      ]),
      '192.0.2.7 0',
    );
  });

  test('is nothing where it is no address', () => {
    for (const value of [
      '',
      'unknown',
      '_hidden',
      '1.2.3.256',
      '1.2.3',
      '[::1',
      'a:b',
      '\x1b[2J',
      '9'.repeat(9999),
    ])
      assert.equal(claimed([['x-forwarded-for', value]]), undefined, value);
    assert.equal(forwardedForView(sampleRequest()), null);
  });

  test('of a web server stands in its variables, not in a header of that name', () => {
    const told: Headers = [
      ['remote_addr', '192.0.2.7'],
      ['remote_port', '4711'],
    ];
    assert.equal(claimed(told, 'fastcgi'), '192.0.2.7 4711');
    assert.equal(claimed(told), undefined);
  });
});

suite('what sockets prove', () => {
  test('is the client of the first proxy, and what that one claims stands beside it', () => {
    const front = { ...withHeaders([['x-forwarded-for', '192.0.2.7']]), id: 'r-front' };
    const middle = behind(front, { grade: 'exact' }, sampleRequest({ id: 'r-middle' }));
    assert.deepEqual(forwardedForView(behind(middle, { proxy: sampleProcess({ pid: 900, comm: 'node' }) })), {
      known: 'socket',
      trusted: true,
      client: { ip: '203.0.113.9', port: 51944 },
      request: 'r-front',
      grade: 'linked',
      reason: 'why',
      through: [
        { pid: 900, comm: 'node', request: 'r-middle' },
        { pid: 812, comm: 'nginx', request: 'r-front' },
      ],
      candidates: [],
      claimed: { client: { ip: '192.0.2.7', port: 0 }, header: 'x-forwarded-for' },
    });
  });

  test('bytes alone are never trusted', () => {
    assert.equal(forwardedForView(behind(sampleRequest(), { grade: 'matched' }))?.trusted, false);
  });

  test('several that are possible are listed, and none is named', () => {
    const candidates = [sampleRequest({ id: 'r-1' }), sampleRequest({ id: 'r-2' })];
    const view = forwardedForView(behind(null, { grade: 'ambiguous', candidates }));
    assert.equal(view?.client, null);
    assert.equal(view?.trusted, false);
    assert.deepEqual(view?.candidates, ['r-1', 'r-2']);
  });

  test('a loop of proxies ends', () => {
    const first = sampleRequest() as Request & { hop?: Hop };
    const looped = behind(first);
    Object.assign(first, { hop: looped.hop });
    assert.equal(forwardedForView(looped)?.through.length, 8);
  });
});
