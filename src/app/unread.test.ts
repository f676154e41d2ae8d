import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PAYLOAD_EVENT } from '../abi/abi.gen.ts';
import { encodeEvent } from '../abi/testing.ts';
import type { Attributor } from '../attribution/attribution.ts';
import { SimulatedKernel } from '../attribution/testing/simulated-kernel.ts';
import { byteString } from '../base/bytes.ts';
import { http1 } from '../protocols/http1/index.ts';
import { BEGINNING, frame, post } from '../protocols/http2/testing.ts';
import type { Streams } from '../protocols/streams.ts';
import { PlainExchanges } from './plain-exchanges.ts';
import { Brain, Pair } from './testing.ts';

describe('plain exchanges', () => {
  test('whoever opens a connection is read first: it waits for it', () => {
    const pair = new Pair();
    const { kernel } = pair;
    const { loop, clients } = pair.settledLoop(3, 120);
    const [first, second] = clients;
    assert.ok(first && second);
    // The loop is known to juggle.
    kernel.epollWait(loop);
    pair.get(loop, first, '/x');
    pair.get(loop, second, '/y');
    pair.ok(loop, first);
    pair.ok(loop, second);
    for (let round = 0; round < 50; round++) {
      kernel.epollWait(loop);
      pair.get(loop, first, '/plain');
      pair.ok(loop, first);
    }
    kernel.epollWait(loop);
    pair.get(loop, first, '/alpha');
    // exit_connect: accept_event with FLAG_CLIENT, then connect_event.
    const { last } = pair;
    assert.ok(last?.kind === 'payload');
    pair.both({
      timeNs: (kernel.nowNs += 1000),
      pid: last.pid,
      tid: last.tid,
      unit: last.tid,
      startTicks: last.startTicks,
      cgroupId: 1,
      cpu: 0,
      stampConnection: first.id,
      stampSequence: first.sequence,
      stampOrigin: 'read',
      readyCount: 1,
      isTruncated: false,
      kind: 'accept',
      connection: 77_777,
      family: 'ipv4',
      localAddress: '\x7f\x00\x00\x01',
      localPort: 50_000,
      remoteAddress: '\x7f\x00\x00\x01',
      remotePort: 5432,
      isAdopted: false,
      isClient: true,
    });
    kernel.connect(loop, 5432);
    kernel.epollWait(loop);
    pair.get(loop, second, '/bravo');
    kernel.open(loop, '/srv/x');
    assert.deepEqual(pair.lazy.effects, pair.whole.effects);
  });

  test('with large requests fewer are kept than attribution remembers as answered: content is believed wrongly', () => {
    const pair = new Pair();
    const { kernel } = pair;
    const { loop, clients } = pair.settledLoop(3, 120);
    const [first, second, third] = clients;
    assert.ok(first && second && third);
    const cookie = 'k'.repeat(3500);
    for (let round = 0; round < 40; round++) {
      kernel.epollWait(loop);
      pair.get(loop, third, '/large', cookie);
      pair.ok(loop, third);
    }
    kernel.epollWait(loop);
    pair.get(loop, first, '/answered?customer=meier-77');
    pair.ok(loop, first);
    for (let round = 0; round < 25; round++) {
      kernel.epollWait(loop);
      pair.get(loop, third, '/large', cookie);
      pair.ok(loop, third);
    }
    kernel.epollWait(loop);
    pair.get(loop, second, '/waits?customer=meier-77');
    kernel.epollWait(loop);
    // A timer that the answered one has left over.
    kernel.open(loop, '/srv/meier-77');
    assert.deepEqual(pair.lazy.effects, pair.whole.effects);
  });

  test('an exception while kept events are read costs one event, not the process for ever', () => {
    let throws = 0;
    const plain = new PlainExchanges(
      {
        plainLookAt: () => http1.plain ?? null,
        offsetsOf: () => ({ inbound: 0, outbound: 0 }),
        passOver: () => undefined,
      } as unknown as Streams,
      { settledLoop: () => ({ hasJuggled: true }), passedOver: () => undefined } as unknown as Attributor,
      () => {
        throws++;
        throw new Error('a bug in a reader');
      },
    );
    const events: Uint8Array[] = [];
    const kernel = new SimulatedKernel((event) => {
      if (event.kind === 'payload') events.push(encodeEvent(event));
    });
    const loop = kernel.process();
    const client = kernel.accept(loop);
    kernel.read(loop, client, 'GET / HTTP/1.1\r\nHost: app\r\n\r\n');
    kernel.write(loop, client, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    for (const bytes of events) {
      const kept = plain.keep(bytes, new DataView(bytes.buffer), 0, bytes.length);
      assert.ok(kept && bytes.length > PAYLOAD_EVENT.SIZE);
    }
    for (let effect = 0; effect < 10; effect++)
      try {
        plain.wake(loop.process.pid);
      } catch {
        // As GuardedSink does: the event is passed over.
      }
    assert.ok(throws <= 2, `${throws} events of the process were lost, and all that follow will be`);
  });
});

test('HTTP/2: the end of a request is told of the request that ended, so that detectors look at its body', () => {
  const brain = new Brain(true);
  const kernel = new SimulatedKernel((event) => brain.feed(event));
  const loop = kernel.process();
  kernel.epollWait(loop);
  const connection = kernel.accept(loop);
  const text = (bytes: Uint8Array): string => byteString(bytes);
  kernel.read(loop, connection, text(Buffer.concat([BEGINNING, frame(1, 4, 1, post('/attack'))])));
  kernel.read(loop, connection, text(frame(1, 4, 3, post('/harmless'))));
  kernel.read(loop, connection, text(frame(0, 1, 1, 'the attack')));
  assert.deepEqual(brain.requests, ['/attack the attack']);
});
