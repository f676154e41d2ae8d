import { readFileSync, writeFileSync } from 'node:fs';
import { EVENT_HEADER, EVENT_KIND, FORK_EVENT } from '../../src/abi/abi.gen.ts';
import { isCurrent, LAYOUTS } from '../../src/abi/layouts.ts';
import {
  FRAME_EVENT,
  FRAME_FACT,
  FRAME_HEADER_BYTES,
  MAGIC,
  paddingOf,
  type RecordingHeader,
} from '../../src/capture/recording-format.ts';
import type { Fact } from '../../src/model/event.ts';

/** One entry of a recording, as it stands in the file. */
export interface Frame {
  readonly type: number;
  readonly content: Buffer;
}

export interface Recording {
  readonly header: RecordingHeader;
  readonly frames: readonly Frame[];
}

/** A recording's entries, without a look into them. Written apart from src/capture on purpose: it checks the format. */
export function readRecording(path: string): Recording {
  const bytes = readFileSync(path);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error(`${path} is no recording`);
  const headerSize = bytes.readUInt32LE(MAGIC.length);
  let at = MAGIC.length + 4 + headerSize;
  const header = JSON.parse(bytes.toString('utf8', MAGIC.length + 4, at)) as RecordingHeader;
  const layout = LAYOUTS.get(header.abi);
  if (layout === undefined || !isCurrent(layout))
    throw new Error(`${path} has another layout of events; as root: node test/update-fixtures.ts`);
  const frames: Frame[] = [];
  while (at + FRAME_HEADER_BYTES <= bytes.length) {
    const size = bytes.readUInt32LE(at);
    const start = at + FRAME_HEADER_BYTES;
    if (start + size > bytes.length) throw new Error(`${path} ends inside a frame`);
    frames.push({ type: bytes.readUInt32LE(at + 4), content: bytes.subarray(start, start + size) });
    at = start + size + paddingOf(size);
  }
  return { header, frames };
}

export function recordingBytes({ header, frames }: Recording): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const parts: Buffer[] = [MAGIC, u32(text.length), text];
  for (const { type, content } of frames)
    parts.push(u32(content.length), u32(type), content, Buffer.alloc(paddingOf(content.length)));
  return Buffer.concat(parts);
}

export function writeRecording(path: string, recording: Recording): void {
  writeFileSync(path, recordingBytes(recording));
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function factOf(frame: Frame): Fact | null {
  return frame.type === FRAME_FACT ? (JSON.parse(frame.content.toString('utf8')) as Fact) : null;
}

export function factFrame(fact: Fact): Frame {
  return { type: FRAME_FACT, content: Buffer.from(JSON.stringify(fact)) };
}

/** The fields of an event's header that tests of recordings look at; null for a fact. */
export interface EventHead {
  readonly kind: number;
  readonly pid: number;
  readonly timeNs: number;
  readonly cgroupId: number;
  /** Process that a fork made, else 0. */
  readonly childPid: number;
}

export function headOf({ type, content }: Frame): EventHead | null {
  if (type !== FRAME_EVENT) return null;
  const kind = content.readUInt16LE(EVENT_HEADER.kind);
  return {
    kind,
    pid: content.readUInt32LE(EVENT_HEADER.pid),
    timeNs: Number(content.readBigUInt64LE(EVENT_HEADER.time_ns)),
    cgroupId: Number(content.readBigUInt64LE(EVENT_HEADER.cgroup_id)),
    childPid: kind === EVENT_KIND.FORK ? content.readUInt32LE(FORK_EVENT.child_pid) : 0,
  };
}
