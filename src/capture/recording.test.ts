import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ABI_HASH } from '../abi/abi.gen.ts';
import { encodeEvent } from '../abi/testing.ts';
import { ThroughlineError, type ErrorCode } from '../base/errors.ts';
import type { Fact, ForkEvent } from '../model/event.ts';
import { makeHeader } from '../model/testing.ts';
import type { CaptureSink } from './contract.ts';
import { Recorder } from './recorder.ts';
import { RecordingCapture } from './recording.ts';
import { FRAME_LIMIT_BYTES, MAGIC, paddingOf, SCHEMA, type RecordingHeader } from './recording-format.ts';

const folder = mkdtempSync(join(tmpdir(), 'throughline-recording-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
const newPath = (): string => join(folder, `${++files}.tlrec`);

const HEADER: RecordingHeader = {
  schema: SCHEMA,
  abi: ABI_HASH,
  version: '0.1.0',
  kernel: '6.1.0',
  architecture: 'x64',
  createdAt: '2026-01-01T00:00:00.000Z',
};

/** Notes what it is handed, bytes copied. */
class NotingSink implements CaptureSink {
  readonly notes: string[] = [];
  readonly ticks: number[] = [];

  fact(fact: Fact): void {
    this.notes.push(JSON.stringify(fact));
  }

  event(bytes: Uint8Array, view: DataView, offset: number, size: number): void {
    assert.equal(view.getUint8(offset), bytes[offset]);
    this.notes.push(Buffer.from(bytes.subarray(offset, offset + size)).toString('hex'));
  }

  tick(nowNs: number): void {
    this.ticks.push(nowNs);
  }
}

function fork(timeNs: number): Uint8Array {
  const event: ForkEvent = {
    kind: 'fork',
    ...makeHeader(1, timeNs),
    childPid: 2,
    childStartTicks: 2,
  };
  return encodeEvent(event);
}

function feed(recorder: Recorder, bytes: Uint8Array): void {
  recorder.event(bytes, new DataView(bytes.buffer), 0, bytes.length);
}

function failsWith(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof ThroughlineError && error.code === code;
}

function noFailure(error: ThroughlineError): void {
  throw error;
}

const FACTS: readonly Fact[] = [
  { kind: 'clock', bootNs: 5e9, wallMs: 1_700_000_000_000 },
  { kind: 'user', uid: 0, name: 'root' },
  {
    kind: 'process',
    pid: 7,
    parentPid: 1,
    startTicks: 3,
    comm: 'gr\xc3\xb6\xdfe \u0001',
    executable: '/usr/bin/\xff',
    argv: ['a', '', '\x00'],
    workingDirectory: '/',
    uid: 0,
    gid: 0,
    cgroupId: 1,
  },
  {
    kind: 'container',
    id: 'ab'.repeat(32),
    runtime: 'docker',
    name: 'größe',
    image: 'shop:2',
    pod: '',
    namespace: '',
    podUid: '',
    labels: { 'a\nb': '\u{1f600}' },
  },
];

/** A recording of all facts and of events of different sizes, and what the recorder passed on meanwhile. */
function record(path = newPath()): { path: string; passedOn: readonly string[] } {
  const sink = new NotingSink();
  using recorder = new Recorder(path, HEADER, sink, noFailure);
  for (const fact of FACTS) recorder.fact(fact);
  feed(recorder, fork(1e9));
  recorder.tick(1.5e9);
  const odd = new Uint8Array(61).fill(7);
  feed(recorder, odd);
  feed(recorder, fork(2e9));
  return { path, passedOn: sink.notes };
}

/** Everything in a recording; the error that ended it, if one did. */
function replay(path: string, limit = 1000): { sink: NotingSink; error: unknown } {
  const sink = new NotingSink();
  using recording = new RecordingCapture(path);
  try {
    while (recording.step(sink, limit)) assert.ok(sink.notes.length < 100_000);
    return { sink, error: null };
  } catch (error) {
    return { sink, error };
  }
}

describe('a recording', () => {
  test('replays what was recorded, byte for byte, in order, and runs the last timers', () => {
    const { path, passedOn } = record();
    assert.equal(passedOn.length, 7);
    const { sink, error } = replay(path);
    assert.equal(error, null);
    assert.deepEqual(sink.notes, passedOn);
    assert.ok((sink.ticks.at(-1) ?? 0) >= 2e9 + 10e9);
  });

  test('the same in steps of one frame', () => {
    const { path, passedOn } = record();
    assert.deepEqual(replay(path, 1).sink.notes, passedOn);
  });

  test('its header is that of the recorder', () => {
    const { path } = record();
    using recording = new RecordingCapture(path);
    assert.deepEqual(recording.header, HEADER);
  });

  test('nobody else may read it, and its size is as counted', () => {
    const path = newPath();
    const recorder = new Recorder(path, HEADER, new NotingSink(), noFailure);
    feed(recorder, fork(1));
    const counted = recorder.writtenBytes;
    recorder[Symbol.dispose]();
    recorder[Symbol.dispose]();
    const { size, mode } = statSync(path);
    assert.equal(size, counted);
    assert.equal(mode & 0o777, 0o600);
  });

  test('an event is taken out of the larger memory that it stands in', () => {
    const path = newPath();
    const memory = new Uint8Array(4096).fill(0xee);
    memory.set(fork(9), 1000);
    {
      using recorder = new Recorder(path, HEADER, new NotingSink(), noFailure);
      recorder.event(memory, new DataView(memory.buffer), 1000, fork(9).length);
    }
    assert.deepEqual(replay(path).sink.notes, [Buffer.from(fork(9)).toString('hex')]);
  });

  test('more than any buffer holds', () => {
    const path = newPath();
    const sink = new NotingSink();
    const large = new Uint8Array(FRAME_LIMIT_BYTES).fill(1);
    {
      using recorder = new Recorder(path, HEADER, sink, noFailure);
      for (const size of [1, FRAME_LIMIT_BYTES, 0, FRAME_LIMIT_BYTES - 3, 70_001, FRAME_LIMIT_BYTES])
        recorder.event(large, new DataView(large.buffer), 0, size);
    }
    const replayed = replay(path);
    assert.equal(replayed.error, null);
    assert.equal(replayed.sink.notes.length, 6);
    assert.ok(replayed.sink.notes.every((note, index) => note === sink.notes[index]));
  });

  test('frames of a type of a later version are passed over', () => {
    const { path, passedOn } = record();
    const unknown = Buffer.alloc(8 + 8);
    unknown.writeUInt32LE(5, 0);
    unknown.writeUInt32LE(77, 4);
    writeFileSync(path, unknown, { flag: 'a' });
    const { sink, error } = replay(path);
    assert.equal(error, null);
    assert.deepEqual(sink.notes, passedOn);
  });

  test('a fact that is no JSON, or says nothing, is passed over', () => {
    const { path, passedOn } = record();
    const blind = { timeNs: 1, cgroupId: 1, events: 1, fromNs: 1, untilNs: 1 };
    const odd = [
      { kind: 'blind', reason: 'boredom', ...blind },
      { kind: 'blind', ...blind },
    ].map((one) => JSON.stringify(one));
    for (const text of ['{"kind":', '[]', 'null', '7', '{}', ...odd]) {
      const frame = Buffer.alloc(8 + text.length + paddingOf(text.length));
      frame.writeUInt32LE(text.length, 0);
      frame.writeUInt32LE(2, 4);
      frame.write(text, 8);
      writeFileSync(path, frame, { flag: 'a' });
    }
    const { sink, error } = replay(path);
    assert.equal(error, null);
    assert.deepEqual(sink.notes, passedOn);
  });
});

test('a recording that is cut at any byte replays everything before the cut and says that it is cut', () => {
  const { path, passedOn } = record();
  const whole = readFileSync(path);
  const cut = newPath();
  let last = 0;
  let clean = 0;
  for (let size = 0; size < whole.length; size++) {
    writeFileSync(cut, whole.subarray(0, size));
    let outcome;
    try {
      outcome = replay(cut);
    } catch (error) {
      assert.ok(failsWith('TL2002')(error), `at ${size}: ${String(error)}`);
      assert.equal(last, 0);
      continue;
    }
    const { sink, error } = outcome;
    assert.ok(sink.notes.length >= last);
    last = sink.notes.length;
    assert.deepEqual(sink.notes, passedOn.slice(0, last));
    assert.equal(sink.ticks.length, 1);
    if (error === null) clean++;
    else assert.ok(failsWith('TL2005')(error), `at ${size}`);
  }
  // Between two frames nothing shows the cut; nor does a cut in the zeros behind a frame.
  assert.ok(clean >= passedOn.length);
});

describe('what is no recording', () => {
  function refuses(content: string | Uint8Array, code: ErrorCode): void {
    const path = newPath();
    writeFileSync(path, content);
    assert.throws(() => new RecordingCapture(path), failsWith(code));
  }

  function withHeader(text: string, size = text.length): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(size);
    return Buffer.concat([MAGIC, length, Buffer.from(text)]);
  }

  test('an empty file, another format, a header that makes no sense', () => {
    refuses('', 'TL2002');
    refuses('#!/bin/sh\n'.repeat(100), 'TL2002');
    refuses(MAGIC, 'TL2002');
    refuses(withHeader('{"schema":'), 'TL2002');
    refuses(withHeader('{}'), 'TL2002');
    refuses(withHeader('null'), 'TL2002');
    refuses(withHeader('{}', 0xffff_ffff), 'TL2002');
    refuses(withHeader('{}', 500), 'TL2002');
  });

  test('a layout that today only adds to is read', () => {
    const path = newPath();
    writeFileSync(path, withHeader(JSON.stringify({ ...HEADER, abi: '1be881cab47f5675' })));
    using recording = new RecordingCapture(path);
    assert.equal(recording.header.abi, '1be881cab47f5675');
  });

  test('another layout or format says which version made it', () => {
    refuses(withHeader(JSON.stringify({ ...HEADER, abi: 'f00d' })), 'TL2003');
    refuses(withHeader(JSON.stringify({ ...HEADER, schema: SCHEMA + 1 })), 'TL2003');
    const path = newPath();
    writeFileSync(path, withHeader(JSON.stringify({ ...HEADER, abi: 'f00d', version: '9.9.9' })));
    assert.throws(() => new RecordingCapture(path), /made by Throughline 9\.9\.9/);
  });

  test('a frame that is larger than any can be', () => {
    const { path, passedOn } = record();
    const frame = Buffer.alloc(8);
    frame.writeUInt32LE(FRAME_LIMIT_BYTES + 1, 0);
    frame.writeUInt32LE(1, 4);
    writeFileSync(path, frame, { flag: 'a' });
    const { sink, error } = replay(path);
    assert.ok(failsWith('TL2005')(error));
    assert.deepEqual(sink.notes, passedOn);
  });

  test('a file that is not there, or a folder', () => {
    assert.throws(() => new RecordingCapture(join(folder, 'none')), failsWith('TL2001'));
    assert.throws(() => new RecordingCapture(folder), failsWith('TL2001'));
  });
});

describe('a file that cannot be written', () => {
  test('at the beginning: nothing runs', () => {
    const path = join(folder, 'no/such/folder/x.tlrec');
    assert.throws(() => new Recorder(path, HEADER, new NotingSink(), noFailure), failsWith('TL2004'));
  });

  test('when the disk is full recording ends, is told once, and events are passed on', () => {
    const sink = new NotingSink();
    const failures: ThroughlineError[] = [];
    using recorder = new Recorder('/dev/full', HEADER, sink, (error) => failures.push(error));
    for (let index = 0; index < 3; index++) {
      feed(recorder, fork(index));
      recorder.fact({ kind: 'user', uid: index, name: 'x' });
      recorder.tick(index);
    }
    assert.deepEqual(
      failures.map(({ code, detail }) => [code, detail]),
      [['TL2004', '/dev/full (ENOSPC)']],
    );
    assert.equal(sink.notes.length, 6);
    assert.equal(sink.ticks.length, 3);
    assert.equal(recorder.writtenBytes, 0);
  });
});
