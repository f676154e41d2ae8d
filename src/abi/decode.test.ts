import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { byteString, bytesOf } from '../base/bytes.ts';
import type { EventHeader, KernelEvent } from '../model/event.ts';
import { makeDetails } from '../model/testing.ts';
import {
  ACTION_EVENT,
  ACCEPT_EVENT,
  CONNECT_EVENT,
  EVENT_FLAG,
  EVENT_HEADER,
  EVENT_KIND,
  EXEC_EVENT,
  EXIT_EVENT,
  OPEN_EVENT,
  PAYLOAD_EVENT,
} from './abi.gen.ts';
import { EventDecoder } from './decode.ts';
import { components, encodeEvent, EventWriter, terminated } from './testing.ts';

const HEADER: EventHeader = {
  timeNs: 2 ** 52 + 12_345,
  pid: 4_194_303,
  tid: 77,
  unit: 77,
  startTicks: 123_456_789,
  cgroupId: 2 ** 40 + 3,
  cpu: 255,
  stampConnection: (5 << 8) | 3,
  stampSequence: 9,
  stampOrigin: 'read',
  readyCount: 0,
  isTruncated: false,
};

const EVENTS: Readonly<Record<KernelEvent['kind'], KernelEvent>> = {
  exec: {
    ...HEADER,
    kind: 'exec',
    parentPid: 2,
    uid: 33,
    gid: 34,
    effectiveUid: 0,
    effectiveGid: 35,
    groups: [4, 0xffff_fffe],
    inode: 2 ** 33 + 1,
    device: 0x1234_5678,
    stdio: ['device', 'pipe', 'socket'],
    comm: 'sh',
    path: 'bin/sh',
    executable: '/usr/bin/dash',
    workingDirectory: '/srv/app',
    argv: ['sh', '-c', 'id; \xff', ''],
    details: makeDetails({
      mode: 0o106755,
      ownerUid: 1,
      ownerGid: 2,
      linkCount: 3,
      isUpperLayer: true,
      isMemoryFile: true,
      interpreter: '/bin/sh \xff',
      savedUid: 4,
      savedGid: 5,
      loginUid: 6,
      session: 7,
      processGroup: 8,
      terminal: 'pts12',
      capabilities: { effective: 2 ** 40 + 1, permitted: 2 ** 40 + 2, inheritable: 2 ** 40 + 4 },
      hasNoNewPrivileges: true,
      seccompMode: 2,
      isStartedByKernel: true,
    }),
  },
  action: {
    ...HEADER,
    kind: 'action',
    action: 'rename',
    syscall: 'renameat2',
    result: -17,
    arguments: [2 ** 40, '/srv/app/from', 3, '/srv/to', 1],
  },
  fork: { ...HEADER, kind: 'fork', childPid: 4711, childStartTicks: 99_999 },
  exit: { ...HEADER, kind: 'exit', code: 3 },
  accept: {
    ...HEADER,
    kind: 'accept',
    connection: 2 ** 45 + 7,
    family: 'ipv4',
    localAddress: '\x7f\x00\x00\x01',
    localPort: 8080,
    remoteAddress: '\xcb\x00\x71\x09',
    remotePort: 65_535,
    isAdopted: true,
    isClient: true,
    isDatagram: true,
    inode: 2 ** 33 + 5,
    peerInode: 2 ** 33 + 6,
    startSequence: 2 ** 32 - 1,
    networkNamespace: 4_026_531_840,
    descriptor: 2 ** 31 - 1,
  },
  connect: {
    ...HEADER,
    kind: 'connect',
    family: 'ipv6',
    transport: 'stream',
    remoteAddress: '\x20\x01\x0d\xb8' + '\0'.repeat(11) + '\x01',
    remotePort: 443,
    localAddress: '\xfe\x80' + '\0'.repeat(13) + '\x02',
    localPort: 65_535,
    error: 111,
    descriptor: 0,
    isFromCaller: true,
  },
  datagram: {
    ...HEADER,
    kind: 'datagram',
    direction: 'out',
    family: 'unix',
    transport: 'datagram',
    localPort: 0,
    remoteAddress: '/run/systemd/journal/socket',
    remotePort: 0,
    isViaRing: true,
  },
  tcp: {
    ...HEADER,
    kind: 'tcp',
    family: 'ipv6',
    role: 'client',
    localAddress: '\x20\x01\x0d\xb8' + '\0'.repeat(11) + '\x02',
    localPort: 40_000,
    remoteAddress: '\x20\x01\x0d\xb8' + '\0'.repeat(11) + '\x01',
    remotePort: 443,
    lastState: 8,
    error: 104,
    bytesSent: 2 ** 40 + 1,
    bytesReceived: 2 ** 41 + 1,
    bytesAcked: 2 ** 40,
    retransmits: 3,
    segmentsOut: 2 ** 32 - 1,
    segmentsIn: 9,
    durationUs: 1_500_000,
  },
  close: { ...HEADER, kind: 'close', connection: 513, bytesIn: 2 ** 35, bytesOut: 1 },
  payload: {
    ...HEADER,
    kind: 'payload',
    connection: 513,
    sequence: 12,
    direction: 'out',
    streamOffset: 2 ** 34 + 5,
    length: 90_000,
    bytes: bytesOf('HTTP/1.1 200 OK\r\n\0\xff'),
    isPlaintext: true,
    isDatagram: true,
    hasMadeRunning: true,
  },
  open: {
    ...HEADER,
    kind: 'open',
    error: 0,
    flags: 0o101,
    inode: 2 ** 33 + 2,
    device: 9,
    path: '../etc/./passwd',
    resolvedPath: '/etc/passwd',
    descriptor: 3,
  },
  work: { ...HEADER, kind: 'work', object: 2 ** 46 + 64, phase: 'submitted' },
};

function decode(bytes: Uint8Array, decoder = new EventDecoder()): KernelEvent | null {
  return decoder.decode(bytes, viewOf(bytes), 0, bytes.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Plain objects, so that the kind of byte array does not matter. */
function plain(event: KernelEvent | null): unknown {
  return event?.kind === 'payload' ? { ...event, bytes: byteString(event.bytes) } : event;
}

describe('what the kernel wrote is what is read', () => {
  for (const event of Object.values(EVENTS))
    test(event.kind, () => {
      assert.deepEqual(plain(decode(encodeEvent(event))), plain(event));
    });

  test('at any place of a larger memory', () => {
    for (const event of Object.values(EVENTS)) {
      const bytes = encodeEvent(event);
      const memory = new Uint8Array(bytes.length + 200).fill(0xaa);
      memory.set(bytes, 104);
      const within = memory.subarray(8);
      assert.deepEqual(
        plain(new EventDecoder().decode(within, viewOf(within), 96, bytes.length)),
        plain(event),
      );
    }
  });

  test('every origin of a stamp', () => {
    for (const stampOrigin of ['none', 'read', 'process', 'thread', 'waited'] as const)
      assert.equal(decode(encodeEvent({ ...EVENTS.exit, stampOrigin }))?.stampOrigin, stampOrigin);
    const bytes = encodeEvent(EVENTS.exit);
    bytes[EVENT_HEADER.stamp_origin] = 99;
    assert.equal(decode(bytes)?.stampOrigin, 'none');
  });

  test('one payload object serves all events', () => {
    const decoder = new EventDecoder();
    const first = decode(encodeEvent(EVENTS.payload), decoder);
    const second = decode(encodeEvent({ ...EVENTS.payload, pid: 5 }), decoder);
    assert.equal(first, second);
  });
});

describe('exec', () => {
  const { exec } = EVENTS;

  test('the root as working directory, and no executable path', () => {
    const event = decode(encodeEvent({ ...exec, workingDirectory: '/', executable: '/' } as KernelEvent));
    assert.equal(event?.kind === 'exec' && event.workingDirectory, '/');
    assert.equal(event?.kind === 'exec' && event.executable, 'bin/sh');
  });

  test('arguments that were cut in the middle', () => {
    const writer = new EventWriter(EVENT_KIND.EXEC, EXEC_EVENT.SIZE);
    writer.u8(EVENT_HEADER.flags, EVENT_FLAG.TRUNCATED);
    writer.section(EXEC_EVENT.path_size, terminated('/bin/sh'));
    writer.section(EXEC_EVENT.argv_size, bytesOf('sh\0-c\0echo aa'));
    const event = decode(writer.bytes());
    assert.ok(event?.kind === 'exec');
    assert.deepEqual(event.argv, ['sh', '-c', 'echo aa']);
    assert.equal(event.isTruncated, true);
  });

  test('no arguments at all', () => {
    const event = decode(encodeEvent({ ...exec, argv: [] } as KernelEvent));
    assert.deepEqual(event?.kind === 'exec' && event.argv, []);
  });

  test('sizes that claim more than there is take what is there', () => {
    const writer = new EventWriter(EVENT_KIND.EXEC, EXEC_EVENT.SIZE);
    writer.section(EXEC_EVENT.path_size, terminated('/bin/sh'));
    writer.u32(EXEC_EVENT.path_size, 0xffff_ffff);
    writer.u32(EXEC_EVENT.argv_size, 0xffff_ffff);
    writer.u32(EXEC_EVENT.group_count, 0xffff_ffff);
    const event = decode(writer.bytes());
    assert.ok(event?.kind === 'exec');
    assert.equal(event.path, '/bin/sh');
    assert.deepEqual(event.argv, []);
    assert.deepEqual(event.groups, []);
  });

  test('a kind of descriptor of a later version', () => {
    const bytes = encodeEvent(exec);
    bytes[EXEC_EVENT.stdio] = 200;
    const event = decode(bytes);
    assert.deepEqual(event?.kind === 'exec' && event.stdio, ['other', 'pipe', 'socket']);
  });

  test('a name of the full 16 bytes without NUL', () => {
    const bytes = encodeEvent(exec);
    bytes.fill(0x61, EXEC_EVENT.comm, EXEC_EVENT.comm + 16);
    const event = decode(bytes);
    assert.equal(event?.kind === 'exec' && event.comm, 'a'.repeat(16));
  });
});

test('exit codes and signals', () => {
  const codes: readonly (readonly [status: number, code: number])[] = [
    [0, 0],
    [7 << 8, 7],
    [255 << 8, 255],
    [9, 137],
    [11 | 0x80, 139],
  ];
  for (const [status, code] of codes) {
    const writer = new EventWriter(EVENT_KIND.EXIT, EXIT_EVENT.SIZE);
    writer.u32(EXIT_EVENT.code, status);
    const event = decode(writer.bytes());
    assert.equal(event?.kind === 'exit' && event.code, code);
  }
});

describe('addresses', () => {
  const mapped = '\0'.repeat(10) + '\xff\xff';

  test('IPv4 in IPv6 is IPv4', () => {
    const accept = decode(
      encodeEvent({
        ...EVENTS.accept,
        family: 'ipv6',
        localAddress: `${mapped}\x0a\x00\x00\x01`,
        remoteAddress: `${mapped}\x0a\x00\x00\x02`,
      } as KernelEvent),
    );
    assert.ok(accept?.kind === 'accept');
    assert.deepEqual(
      [accept.family, accept.localAddress, accept.remoteAddress],
      ['ipv4', '\x0a\x00\x00\x01', '\x0a\x00\x00\x02'],
    );
    const connect = decode(
      encodeEvent({ ...EVENTS.connect, remoteAddress: `${mapped}\x0a\x00\x00\x02` } as KernelEvent),
    );
    assert.ok(connect?.kind === 'connect');
    assert.deepEqual([connect.family, connect.remoteAddress], ['ipv4', '\x0a\x00\x00\x02']);
  });

  const paths: readonly (readonly [written: string, size: number, read: string])[] = [
    ['/run/app.sock\0garbage', 108, '/run/app.sock'],
    ['/run/app.sock', 13, '/run/app.sock'],
    ['\0abstract\0name', 14, '\0abstract\0name'],
    ['', 0, ''],
    ['p'.repeat(108), 5000, 'p'.repeat(108)],
  ];
  for (const [written, size, read] of paths)
    test(`a unix path of ${written.length} bytes, said to be ${size}`, () => {
      const accept = new EventWriter(EVENT_KIND.ACCEPT, ACCEPT_EVENT.SIZE);
      accept.u8(ACCEPT_EVENT.family, 3);
      accept.raw(ACCEPT_EVENT.path, written);
      accept.u32(ACCEPT_EVENT.path_size, size);
      const accepted = decode(accept.bytes());
      assert.equal(accepted?.kind === 'accept' && accepted.localAddress, read);
      const connect = new EventWriter(EVENT_KIND.CONNECT, CONNECT_EVENT.SIZE);
      connect.u8(CONNECT_EVENT.family, 3);
      connect.raw(CONNECT_EVENT.path, written);
      connect.u32(CONNECT_EVENT.path_size, size);
      const connected = decode(connect.bytes());
      assert.equal(connected?.kind === 'connect' && connected.remoteAddress, read);
    });

  test('an IPv4 address in IPv6 is one at both ends of a connect', () => {
    const mapped = (address: string) => `${'\0'.repeat(10)}\xff\xff${address}`;
    const event = decode(
      encodeEvent({
        ...EVENTS.connect,
        remoteAddress: mapped('\x7f\0\0\x01'),
        localAddress: mapped('\x7f\0\0\x02'),
        localPort: 1,
      } as KernelEvent),
    );
    assert.ok(event?.kind === 'connect');
    assert.deepEqual(
      [event.family, event.remoteAddress, event.localAddress],
      ['ipv4', '\x7f\0\0\x01', '\x7f\0\0\x02'],
    );
  });

  test('transports and results of a connect', () => {
    for (const [transport, error] of [
      ['datagram', 0],
      ['other', 13],
      ['stream', 115],
    ] as const) {
      const event = decode(encodeEvent({ ...EVENTS.connect, transport, error } as KernelEvent));
      assert.ok(event?.kind === 'connect');
      assert.deepEqual([event.transport, event.error], [transport, error]);
    }
  });
});

describe('open', () => {
  function open(path: string, kernelPath: string, result: number): KernelEvent | null {
    const writer = new EventWriter(EVENT_KIND.OPEN, OPEN_EVENT.SIZE);
    writer.u32(OPEN_EVENT.result, result >>> 0);
    writer.section(OPEN_EVENT.path_size, terminated(path));
    writer.section(OPEN_EVENT.resolved_size, components(kernelPath));
    return decode(writer.bytes());
  }

  const cases: readonly (readonly [path: string, kernel: string, result: number, resolved: string])[] = [
    ['passwd', '/etc/passwd', 0, '/etc/passwd'],
    ['/etc//passwd', '', 0, '/etc/passwd'],
    ['passwd', '', 0, '/'],
    ['../none/./x', '/srv/app', -2, '/srv/none/x'],
    ['/a/../../b', '/srv/app', -13, '/b'],
    ['x', '', -2, '/x'],
  ];
  for (const [path, kernelPath, result, resolved] of cases)
    test(`${path} in ${kernelPath || 'nothing'} with ${result}`, () => {
      const event = open(path, kernelPath, result);
      assert.ok(event?.kind === 'open');
      assert.deepEqual([event.path, event.resolvedPath, event.error], [path, resolved, -result | 0]);
    });
});

describe('what is not understood', () => {
  test('an unknown kind is counted and skipped', () => {
    const decoder = new EventDecoder();
    assert.equal(decode(new EventWriter(999, 64).bytes(), decoder), null);
    assert.equal(decode(new EventWriter(0, 64).bytes(), decoder), null);
    assert.deepEqual(decoder.counters, { unknownKind: 2, unknownVersion: 0, malformed: 0 });
  });

  test('so is an unknown version', () => {
    const decoder = new EventDecoder();
    const bytes = encodeEvent(EVENTS.exec);
    bytes[EVENT_HEADER.version] = 99;
    assert.equal(decode(bytes, decoder), null);
    assert.deepEqual(decoder.counters, { unknownKind: 0, unknownVersion: 1, malformed: 0 });
  });

  test('an event that ends within its fixed part is malformed', () => {
    for (const event of Object.values(EVENTS)) {
      const decoder = new EventDecoder();
      const bytes = encodeEvent(event);
      const fixed = bytes.length - sectionBytes(event);
      for (let size = 0; size < fixed; size++)
        assert.equal(decoder.decode(bytes, viewOf(bytes), 0, size), null, `${event.kind} of ${size} bytes`);
      assert.equal(decoder.counters.malformed, fixed);
    }
  });

  test('an event that ends within its sections is read as far as it goes, never beyond', () => {
    for (const kind of ['exec', 'payload', 'open'] as const) {
      const bytes = encodeEvent(EVENTS[kind]);
      const fixed = bytes.length - sectionBytes(EVENTS[kind]);
      for (let size = fixed; size <= bytes.length; size++) {
        const memory = new Uint8Array(bytes.length + 64).fill(0x58);
        memory.set(bytes.subarray(0, size));
        const event = new EventDecoder().decode(memory, viewOf(memory), 0, size);
        assert.ok(event !== null);
        assert.equal(JSON.stringify(plain(event)).includes('X'), false);
      }
    }
  });
});

function sectionBytes(event: KernelEvent): number {
  const writer = encodeEvent(event).length;
  return event.kind === 'exec'
    ? writer - EXEC_EVENT.SIZE
    : event.kind === 'payload'
      ? writer - PAYLOAD_EVENT.SIZE
      : event.kind === 'open'
        ? writer - OPEN_EVENT.SIZE
        : event.kind === 'action'
          ? writer - ACTION_EVENT.SIZE
          : 0;
}

test('arbitrary bytes never throw and are always counted', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 400, size: 'max' }),
      fc.constantFrom(null, ...Object.values(EVENT_KIND)),
      (noise, kind) => {
        const bytes = Uint8Array.from(noise);
        if (kind !== null && bytes.length >= EVENT_HEADER.SIZE) {
          viewOf(bytes).setUint16(EVENT_HEADER.kind, kind, true);
          bytes[EVENT_HEADER.version] = 2;
        }
        const decoder = new EventDecoder();
        const event = decode(bytes, decoder);
        const { unknownKind, unknownVersion, malformed } = decoder.counters;
        assert.equal(unknownKind + unknownVersion + malformed, event === null ? 1 : 0);
      },
    ),
    { numRuns: 2000 },
  );
});

test('real events with some bytes changed never throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(EVENTS)),
      fc.array(fc.tuple(fc.nat({ max: 300 }), fc.nat({ max: 255 })), { maxLength: 12 }),
      (event, changes) => {
        const bytes = encodeEvent(event);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        decode(bytes);
      },
    ),
    { numRuns: 1000 },
  );
});
