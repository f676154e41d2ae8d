/**
 * Hostile input for the whole brain: recordings of real requests and captures of every protocol, damaged in every way. No exception may
 * escape, no damage may take memory without bound.
 *
 *   node test/fuzz.ts [SECONDS [SEED]]    default: 60 seconds, another seed each time
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EVENT_HEADER, EVENT_KIND } from '../src/abi/abi.gen.ts';
import { ThroughlineError } from '../src/base/errors.ts';
import { FRAME_EVENT, FRAME_FACT, MAGIC } from '../src/capture/recording-format.ts';
import { RecordingCapture } from '../src/capture/recording.ts';
import { PROTOCOLS } from '../src/app/registry.ts';
import { fuzzFixtures, loadFixtures } from '../src/protocols/testing.ts';
import { fuzzHttp1 } from '../src/protocols/http1/fuzz.ts';
import { createBrain } from './support/brain.ts';
import { FIXTURES, recordingPath } from './support/fixtures.ts';
import { readRecording, recordingBytes, type Frame, type Recording } from './support/recordings.ts';

/** Beyond what was in use after the first rounds; recordings are a few hundred kilobytes. */
const MEMORY_LIMIT_BYTES = 400 * 1024 * 1024;
const WARM_UP_ROUNDS = 20;
const HTTP_ROUNDS = 300;
const PROTOCOL_ROUNDS = 30;
/** Captures of real servers, by the protocol that reads them. */
const CAPTURES = PROTOCOLS.flatMap((protocol) => {
  const folder = protocol.name.startsWith('dns')
    ? `dns/fixtures/${protocol.name}`
    : `${protocol.name}/fixtures`;
  const directory = join(import.meta.dirname, '..', 'src', 'protocols', folder);
  return existsSync(directory) ? [{ protocol, fixtures: loadFixtures(directory) }] : [];
});
/** What a damaged recording may end with; anything else is a bug. */
const EXPECTED_ERRORS: ReadonlySet<string> = new Set(['TL2002', 'TL2003', 'TL2005']);

type Random = (below: number) => number;

export interface FuzzReport {
  readonly recordings: number;
  readonly connections: number;
  /** Damaged recordings that could be read to their end. */
  readonly readable: number;
  readonly results: number;
  readonly grownBytes: number;
}

/** Runs for so many seconds. Throws what escapes, with the path of the file that did it. */
export function fuzz(seconds: number, seed: number): FuzzReport {
  const random = generator(seed);
  const originals = FIXTURES.map(({ name }) => recordingPath(name));
  const directory = mkdtempSync(join(tmpdir(), 'throughline-fuzz-'));
  const deadline = performance.now() + seconds * 1000;
  const report = { recordings: 0, connections: 0, readable: 0, results: 0, grownBytes: 0 };
  let baseBytes = 0;
  while (performance.now() < deadline) {
    const path = join(directory, 'damaged.tlrec');
    writeFileSync(path, damaged(originals[random(originals.length)] ?? '', random));
    try {
      const { isWhole, results } = replay(path);
      report.readable += Number(isWhole);
      report.results += results;
    } catch (error) {
      // The file stays, to look at.
      throw new Error(`seed ${seed}, recording ${report.recordings}: ${path}`, { cause: error });
    }
    report.recordings++;
    fuzzHttp1(HTTP_ROUNDS, random(0x7fffffff));
    report.connections += HTTP_ROUNDS;
    for (const { protocol, fixtures } of CAPTURES) {
      fuzzFixtures(protocol, fixtures, PROTOCOL_ROUNDS, random(0x7fffffff));
      report.connections += PROTOCOL_ROUNDS;
    }
    let used = bytesInUse();
    if (used - baseBytes > MEMORY_LIMIT_BYTES / 2) {
      // What only waits to be collected is no growth.
      collectGarbage();
      used = bytesInUse();
    }
    if (report.recordings <= WARM_UP_ROUNDS) baseBytes = Math.max(baseBytes, used);
    else report.grownBytes = Math.max(report.grownBytes, used - baseBytes);
    if (report.grownBytes > MEMORY_LIMIT_BYTES)
      throw new Error(`seed ${seed}: ${used} bytes are in use after ${report.recordings} recordings`);
  }
  rmSync(directory, { recursive: true, force: true });
  return report;
}

function bytesInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function replay(path: string): { isWhole: boolean; results: number } {
  const { pipeline, messages } = createBrain();
  try {
    using recording = new RecordingCapture(path);
    try {
      while (recording.step(pipeline, 1000));
    } finally {
      pipeline.end();
    }
    return { isWhole: true, results: messages.length };
  } catch (error) {
    if (!(error instanceof ThroughlineError) || !EXPECTED_ERRORS.has(error.code)) throw error;
    return { isWhole: false, results: messages.length };
  } finally {
    // Everything that is shown must be printable as JSON.
    for (const message of messages) JSON.stringify(message);
  }
}

/** The bytes of a recording after a few kinds of damage. */
function damaged(path: string, random: Random): Buffer {
  if (random(4) === 0) return damagedBytes(readFileSync(path), random);
  const recording = readRecording(path);
  const frames = [...recording.frames];
  const times = 1 + random(random(3) === 0 ? 400 : 8);
  for (let time = 0; time < times; time++) damageFrames(frames, random);
  const bytes = recordingBytes({ ...recording, frames } satisfies Recording);
  return random(8) === 0 ? damagedBytes(bytes, random) : bytes;
}

/** Damage that knows nothing of the format. The magic line is mostly left alone: behind it is where the work is. */
function damagedBytes(original: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(original);
  const start = random(20) === 0 ? 0 : MAGIC.length + 4;
  const position = () => start + random(Math.max(1, bytes.length - start));
  const times = 1 + random(16);
  for (let time = 0; time < times; time++) {
    const at = position();
    switch (random(4)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        bytes[at] = random(256);
        break;
      case 2:
        if (at + 4 <= bytes.length) bytes.writeUInt32LE(extreme(random), at);
        break;
      default:
        bytes.copy(bytes, at, position(), position());
    }
  }
  return random(3) === 0 ? bytes.subarray(0, position()) : bytes;
}

/** Damage that leaves the frames readable, so that it reaches the brain. */
function damageFrames(frames: Frame[], random: Random): void {
  const at = random(frames.length);
  const frame = frames[at];
  if (frame === undefined) return;
  switch (random(9)) {
    case 0:
      frames.splice(at, 1 + random(10));
      break;
    case 1:
      frames.splice(random(frames.length), 0, frame);
      break;
    case 2: {
      const other = random(frames.length);
      frames[at] = frames[other] ?? frame;
      frames[other] = frame;
      break;
    }
    case 3:
      frames[at] = { type: frame.type, content: frame.content.subarray(0, random(frame.content.length + 1)) };
      break;
    case 4:
      frames[at] = { type: random(4), content: frame.content };
      break;
    case 5:
      frames[at] = { type: FRAME_FACT, content: Buffer.from(oddFact(frame, random)) };
      break;
    default:
      frames[at] = { type: frame.type, content: damagedEvent(frame, random) };
  }
}

function damagedEvent({ type, content: original }: Frame, random: Random): Buffer {
  const content = Buffer.from(original);
  if (content.length < EVENT_HEADER.SIZE) return content;
  const times = 1 + random(6);
  for (let time = 0; time < times; time++) {
    // Lengths, kinds, ids and times stand on boundaries of four bytes.
    const at = random(Math.min(content.length, 256) >> 2) << 2;
    if (random(3) === 0) content[random(content.length)] = random(256);
    else if (at + 4 <= content.length) content.writeUInt32LE(extreme(random), at);
  }
  // Most must stay events of a known version, or all would be refused at the door.
  if (type === FRAME_EVENT && random(8) !== 0) {
    content[EVENT_HEADER.version] = original[EVENT_HEADER.version] ?? 0;
    content.writeUInt16LE(
      random(4) === 0 ? 1 + random(EVENT_KIND.OPEN) : original.readUInt16LE(EVENT_HEADER.kind),
      EVENT_HEADER.kind,
    );
  }
  return content;
}

function extreme(random: Random): number {
  const values = [0, 1, 7, 8, 255, 256, 4095, 4096, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
  return random(3) === 0 ? random(0x7fffffff) : (values[random(values.length)] ?? 0);
}

const ODD_VALUES = [
  null,
  -1,
  0,
  1.5,
  1e308,
  '',
  'x'.repeat(5000),
  '\u0000',
  '__proto__',
  [],
  {},
  [null],
  [[]],
  true,
];
const FACT_KINDS = ['clock', 'host', 'process', 'cgroup', 'container', 'user', 'loss', 'blind', 'unknown', 3];

function oddFact(frame: Frame, random: Random): string {
  if (random(6) === 0) return frame.content.toString('latin1').slice(0, random(400));
  const fact: Record<string, unknown> = { kind: FACT_KINDS[random(FACT_KINDS.length)] };
  const names = [
    ...[
      'bootNs',
      'wallMs',
      'hostname',
      'kernel',
      'architecture',
      'sessionId',
      'pid',
      'parentPid',
      'startTicks',
    ],
    ...[
      'comm',
      'executable',
      'argv',
      'workingDirectory',
      'uid',
      'gid',
      'cgroupId',
      'paths',
      'name',
      'timeNs',
      'reasons',
      'id',
      'runtime',
      'image',
      'pod',
      'namespace',
      'podUid',
      'labels',
    ],
  ];
  for (const name of names) if (random(4) !== 0) fact[name] = ODD_VALUES[random(ODD_VALUES.length)];
  return JSON.stringify(fact);
}

/** mulberry32 */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

if (import.meta.main) {
  const [seconds = 60, seed = Date.now() >>> 0] = process.argv.slice(2).map(Number);
  console.log(`fuzzing for ${seconds} s, seed ${seed}`);
  const { recordings, connections, readable, results, grownBytes } = fuzz(seconds, seed);
  console.log(
    `${recordings} recordings (${readable} readable to the end, ${results} results), ${connections} connections, ` +
      `${Math.round(grownBytes / 1e6)} MB grown: nothing escaped`,
  );
}
