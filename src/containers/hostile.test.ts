import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENTS, problemText } from './clients.ts';
import { RUNTIME_KINDS, type RuntimeKind } from './contract.ts';
import { ID, pour, rawRuntime } from './testing.ts';

/** Whoever listens there may be anybody. Each look-up must end, with a reason, and hold no more than it may. */

const GIGABYTE = 1024 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 'x');

async function problemOf(kind: RuntimeKind, path: string, timeoutMs = 5000): Promise<string> {
  try {
    const found = await CLIENTS[kind].find(path, ID, AbortSignal.timeout(timeoutMs));
    return `found ${JSON.stringify(found)}`;
  } catch (error) {
    return problemText(error);
  }
}

/** A frame of HTTP/2: 24-bit length, type, flags, stream. */
function frame(type: number, flags: number, stream: number, content: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(content.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, content]);
}

const SETTINGS = frame(4, 0, 0, Buffer.alloc(0));
/** `:status: 200` alone, from the static table. */
const HEADERS = frame(1, 4, 1, Buffer.from([0x88]));

/** The beginning of what a runtime of that kind answers; then anything may follow. */
function greet(kind: RuntimeKind, socket: Socket): void {
  if (kind === 'docker' || kind === 'podman')
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n');
  else socket.write(Buffer.concat([SETTINGS, HEADERS]));
}

for (const kind of RUNTIME_KINDS) {
  const isHttp1 = kind === 'docker' || kind === 'podman';

  suite(`a socket of ${kind}`, () => {
    test('that says nothing', async () => {
      await using runtime = await rawRuntime((socket) => socket.resume());
      const startedAt = performance.now();
      assert.equal(await problemOf(kind, runtime.path, 200), 'does not answer within 2 s');
      assert.ok(performance.now() - startedAt < 1500);
      await sleep(20);
      assert.equal(runtime.connectionCount, 0, 'the connection is closed');
    });

    test('that stops in the middle', async () => {
      await using runtime = await rawRuntime((socket) => {
        socket.on('data', () => {});
        greet(kind, socket);
      });
      assert.equal(await problemOf(kind, runtime.path, 200), 'does not answer within 2 s');
    });

    test('that hangs up, at once or in the middle', async () => {
      for (const isGreeting of [false, true]) {
        await using runtime = await rawRuntime((socket) => {
          socket.once('data', () => {
            if (isGreeting) greet(kind, socket);
            socket.end(isGreeting ? 'x' : '');
          });
        });
        assert.match(await problemOf(kind, runtime.path), /hung up|no HTTP|no gRPC|no JSON|ECONNRESET|EPIPE/);
      }
    });

    test('that answers garbage', async () => {
      for (const garbage of ['\0\x01\x02', 'SSH-2.0-OpenSSH_9.2\r\n', '{"Id":1}\n', '\r\n\r\n\r\n'])
        for (const greeting of [false, true]) {
          await using runtime = await rawRuntime((socket) => {
            socket.once('data', () => {
              if (greeting) greet(kind, socket);
              socket.end(garbage);
            });
          });
          assert.doesNotMatch(await problemOf(kind, runtime.path), /^found|within/);
        }
    });

    test('that answers a gigabyte', async () => {
      const before = process.memoryUsage().rss;
      let peak = 0;
      const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5).unref();
      for (const headers of [true, false]) {
        let poured = { written: 0 };
        await using runtime = await rawRuntime((socket) => {
          socket.once('data', () => {
            if (headers) greet(kind, socket);
            poured = pour(
              socket,
              isHttp1 || !headers ? CHUNK : frame(0, 0, 1, CHUNK.subarray(0, 16_384)),
              GIGABYTE,
            );
          });
        });
        const problem = await problemOf(kind, runtime.path);
        assert.match(problem, headers ? /more than 1024 KiB|no HTTP\/2/ : /no HTTP/);
        assert.ok(poured.written < 16 * 1024 * 1024, `${poured.written} bytes were taken`);
      }
      clearInterval(watch);
      assert.ok(peak - before < 64 * 1024 * 1024, `${peak - before} bytes of memory`);
    });
  });
}

test('headers without an end', async () => {
  await using runtime = await rawRuntime((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n');
      pour(socket, Buffer.from(`x-filler: ${'y'.repeat(1000)}\r\n`), GIGABYTE);
    });
  });
  assert.match(await problemOf('docker', runtime.path), /no HTTP/);
  await using calls = await rawRuntime((socket) => {
    socket.once('data', () => {
      socket.write(SETTINGS);
      pour(socket, Buffer.concat([SETTINGS, frame(6, 0, 0, Buffer.alloc(8))]), GIGABYTE);
    });
  });
  assert.match(await problemOf('cri', calls.path, 1000), /no HTTP\/2|does not answer/);
});
