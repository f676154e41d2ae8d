import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { KernelEvent } from '../model/event.ts';
import { makeHeader } from '../model/testing.ts';
import * as abi from './abi.gen.ts';
import { EventDecoder } from './decode.ts';
import { EventUpgrade, isCurrent, LAYOUTS, TODAY, type KindName, type Layout } from './layouts.ts';
import { encodeEvent } from './testing.ts';

const { ABI_HASH, EVENT_HEADER, EVENT_KIND } = abi;
const LIMIT = 4096;

const EVENTS: readonly KernelEvent[] = [
  {
    ...makeHeader(40, 7e9),
    kind: 'exec',
    parentPid: 2,
    uid: 33,
    gid: 34,
    effectiveUid: 35,
    effectiveGid: 36,
    groups: [4, 5],
    inode: 99,
    device: 8,
    stdio: ['device', 'pipe', 'socket'],
    comm: 'sh',
    path: '/bin/sh',
    executable: '/usr/bin/dash',
    workingDirectory: '/srv/app',
    argv: ['sh', '-c', 'id'],
    details: null,
  },
  { ...makeHeader(41), kind: 'fork', childPid: 4711, childStartTicks: 99 },
  { ...makeHeader(42), kind: 'exit', code: 3 },
  {
    ...makeHeader(43),
    kind: 'accept',
    connection: 77,
    family: 'ipv4',
    localAddress: '\x7f\0\0\x01',
    localPort: 80,
    remoteAddress: '\x7f\0\0\x02',
    remotePort: 40_000,
    isClient: false,
    isAdopted: false,
    isDatagram: false,
    inode: 0,
    peerInode: 0,
    startSequence: 0,
    networkNamespace: 0,
  },
  {
    ...makeHeader(44),
    kind: 'connect',
    family: 'ipv4',
    transport: 'stream',
    remoteAddress: '\x0a\0\0\x01',
    remotePort: 443,
    error: 111,
  },
  { ...makeHeader(45), kind: 'close', connection: 77, bytesIn: 10, bytesOut: 20 },
  {
    ...makeHeader(46),
    kind: 'payload',
    connection: 77,
    sequence: 1,
    direction: 'in',
    streamOffset: 12,
    length: 5,
    isPlaintext: false,
    isDatagram: false,
    hasMadeRunning: false,
    bytes: Uint8Array.from(Buffer.from('hello')),
  },
  {
    ...makeHeader(47),
    kind: 'open',
    error: 0,
    flags: 0o101,
    inode: 3,
    device: 4,
    path: 'x',
    resolvedPath: '/tmp/x',
  },
  { ...makeHeader(48), kind: 'work', object: 2 ** 40, phase: 'done' },
  {
    ...makeHeader(49),
    kind: 'action',
    action: 'rename',
    syscall: 'renameat2',
    result: -17,
    arguments: [2 ** 40, '/srv/app/from', 3, '/srv/to', 1],
  },
];

const nameOf = (event: KernelEvent): KindName => event.kind.toUpperCase() as KindName;

/** An event in an older layout: what that did not have is cut out. */
function inLayout(layout: Layout, event: KernelEvent): Buffer {
  const today = Buffer.from(encodeEvent(event));
  const fixed = layout.fixed[nameOf(event)] ?? 0;
  const own = fixed - layout.header;
  const old = Buffer.concat([
    today.subarray(0, layout.header),
    today.subarray(TODAY.header, TODAY.header + own),
    today.subarray(TODAY.fixed[nameOf(event)]),
  ]);
  old.writeUInt32LE(old.length, EVENT_HEADER.size);
  old.writeUInt8(layout.version, EVENT_HEADER.version);
  return old;
}

function decoded(upgrade: EventUpgrade, bytes: Uint8Array): KernelEvent | null {
  const padded = Buffer.concat([Buffer.alloc(16, 0xee), bytes, Buffer.alloc(16, 0xee)]);
  const size = upgrade.apply(padded, 16, bytes.length);
  const event = new EventDecoder().decode(upgrade.bytes, upgrade.view, 0, size);
  return event?.kind === 'payload' ? { ...event, bytes: Uint8Array.from(event.bytes) } : event;
}

describe('layouts', () => {
  test("today's is known", () => {
    const layout = LAYOUTS.get(ABI_HASH);
    assert.ok(
      layout,
      `the layout has changed: add ${ABI_HASH} to LAYOUTS, so that its recordings stay readable`,
    );
    assert.deepEqual(layout, TODAY, 'its sizes are written down, since the next change makes it an old one');
  });

  test('each kind of event has its size in it', () => {
    assert.deepEqual(Object.keys(TODAY.fixed).toSorted(), Object.keys(EVENT_KIND).toSorted());
  });

  test('no field and no number that recordings hold has ever moved', () => {
    const path = join(import.meta.dirname, 'fixtures/fields.json');
    const known = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, number>>;
    const now = abi as unknown as Record<string, Record<string, number>>;
    for (const [name, fields] of Object.entries(known))
      for (const [field, value] of Object.entries(fields))
        assert.equal(now[name]?.[field], value, `${name}.${field}: upgrade older recordings in layouts.ts`);
  });

  for (const [hash, layout] of LAYOUTS)
    test(`${hash}: every event of it is read as what it was`, () => {
      const upgrade = new EventUpgrade(layout, LIMIT);
      for (const event of EVENTS) {
        if (layout.fixed[nameOf(event)] === undefined) continue;
        assert.deepEqual(decoded(upgrade, inLayout(layout, event)), event, event.kind);
      }
    });

  test('those that differ in size are told from those that do not', () => {
    const current = [...LAYOUTS].filter(([, layout]) => isCurrent(layout)).map(([hash]) => hash);
    assert.ok(current.includes(ABI_HASH));
    assert.ok(!current.includes('bd4f4998fd500a7e'));
    assert.ok(!current.includes('1b0d3eec3847612e'));
  });
});

describe('what is no event of its layout', () => {
  const layout = LAYOUTS.get('bd4f4998fd500a7e');
  assert.ok(layout);

  test('cut anywhere: counted, or cut in a section', () => {
    const upgrade = new EventUpgrade(layout, LIMIT);
    for (const event of EVENTS) {
      const whole = inLayout({ ...layout, fixed: { ...layout.fixed, WORK: 72, ACTION: 144 } }, event);
      for (let size = 0; size < whole.length; size++) {
        const result: KernelEvent | null = decoded(upgrade, whole.subarray(0, size));
        const isWhole: boolean = size >= (layout.fixed[nameOf(event)] ?? Infinity);
        assert.equal(result !== null, isWhole, `${event.kind} of ${size} bytes`);
      }
    }
  });

  test('of another version, kind, or larger than any: handed on as it is', () => {
    const upgrade = new EventUpgrade(layout, LIMIT);
    const [exec] = EVENTS;
    assert.ok(exec);
    const bytes = inLayout(layout, exec);
    bytes.writeUInt8(9, EVENT_HEADER.version);
    assert.equal(upgrade.apply(bytes, 0, bytes.length), bytes.length);
    assert.deepEqual(upgrade.bytes.subarray(0, bytes.length), Uint8Array.from(bytes));
    bytes.writeUInt8(1, EVENT_HEADER.version);
    bytes.writeUInt16LE(999, EVENT_HEADER.kind);
    assert.equal(upgrade.apply(bytes, 0, bytes.length), bytes.length);
    const large = Buffer.alloc(LIMIT * 4, 1);
    assert.ok(upgrade.apply(large, 0, large.length) <= upgrade.bytes.length);
  });

  test('any bytes at all', () => {
    const upgrade = new EventUpgrade(layout, LIMIT);
    const kinds = fc.constantFrom(...Object.values(EVENT_KIND));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: LIMIT }), kinds, (bytes, kind) => {
        if (bytes.length > EVENT_HEADER.version) {
          bytes[EVENT_HEADER.kind] = kind;
          bytes[EVENT_HEADER.kind + 1] = 0;
          bytes[EVENT_HEADER.version] = 1;
        }
        const size = upgrade.apply(bytes, 0, bytes.length);
        assert.ok(size >= bytes.length && size <= upgrade.bytes.length);
        new EventDecoder().decode(upgrade.bytes, upgrade.view, 0, size);
      }),
    );
  });
});
