import { byteString, textFromByteString } from '../base/bytes.ts';
import { printable } from '../base/printable.ts';
import type { ConnectEvent, KernelEvent, Provenance, TcpEvent } from '../model/event.ts';
import { addressText } from '../base/addresses.ts';
import { actionFields } from './action-view.ts';
import { containerView } from './container-view.ts';
import { environmentOf } from './environment-view.ts';
import { execDetailsView } from './exec-details-view.ts';
import { timeText, type ViewContext } from './effect-view.ts';
import { errnoName, openFlagNames, tcpStateName } from './linux-names.ts';
import { maskedTraffic } from './secrets.ts';
import type { EventView } from './views.ts';

/** Longest part of a payload that is decoded for its preview; a request line and its first headers. */
const PREVIEW_BYTES = 512;
const PREVIEW_CHARACTERS = 256;

/** A decoded kernel event. Reads the payload's bytes now: they are not kept. */
export function eventView(event: KernelEvent, context: ViewContext): EventView {
  const base = {
    kind: 'event',
    time: timeText(event.timeNs, context.clock),
    timeNs: event.timeNs,
    pid: event.pid,
    tid: event.tid,
    startTicks: event.startTicks,
    cgroupId: event.cgroupId,
    container: containerView(context.world.cgroupOf(event.cgroupId)),
    cpu: event.cpu,
    stamp:
      event.stampOrigin === 'none' || event.stampOrigin === 'made'
        ? null
        : { connection: event.stampConnection, sequence: event.stampSequence, origin: event.stampOrigin },
    truncated: event.isTruncated,
  } as const;
  switch (event.kind) {
    case 'exec':
      return {
        ...base,
        type: 'exec',
        ppid: event.parentPid,
        uid: event.uid,
        gid: event.gid,
        euid: event.effectiveUid,
        egid: event.effectiveGid,
        groups: [...event.groups],
        inode: event.inode,
        device: event.device,
        stdio: [...event.stdio],
        comm: textFromByteString(event.comm),
        path: textFromByteString(event.path),
        executable: textFromByteString(event.executable),
        cwd: textFromByteString(event.workingDirectory),
        argv: event.argv.map(textFromByteString),
        details: event.details ? execDetailsView(event.details) : null,
        ...environmentOf(event.environment, context),
      };
    case 'fork':
      return { ...base, type: 'fork', childPid: event.childPid, childStartTicks: event.childStartTicks };
    case 'exit':
      return { ...base, type: 'exit', code: event.code };
    case 'accept': {
      const remote = { ip: addressText(event.family, event.remoteAddress), port: event.remotePort };
      const local = { ip: addressText(event.family, event.localAddress), port: event.localPort };
      return {
        ...base,
        type: 'accept',
        connection: event.connection,
        family: event.family,
        client: event.isClient === true ? local : remote,
        server: event.isClient === true ? remote : local,
        role: event.isClient === true ? 'client' : 'server',
        transport: event.isDatagram === true ? 'datagram' : 'stream',
        adopted: event.isAdopted,
        descriptor: event.descriptor ?? null,
      };
    }
    case 'connect':
      return {
        ...base,
        type: 'connect',
        family: event.family,
        transport: event.transport,
        address: addressText(event.family, event.remoteAddress),
        port: event.remotePort,
        local: localOf(event),
        descriptor: event.descriptor ?? null,
        error: errnoName(event.error),
        ...provenanceOf(event),
      };
    case 'datagram':
      return {
        ...base,
        type: 'datagram',
        direction: event.direction,
        family: event.family,
        transport: event.transport,
        localPort: event.localPort,
        address: addressText(event.family, event.remoteAddress),
        port: event.remotePort,
        ...provenanceOf(event),
      };
    case 'tcp':
      return { ...base, type: 'tcp', ...tcpFields(event) };
    case 'work':
      return { ...base, type: 'work', object: event.object, phase: event.phase };
    case 'close':
      return {
        ...base,
        type: 'close',
        connection: event.connection,
        bytesIn: event.bytesIn,
        bytesOut: event.bytesOut,
      };
    case 'payload':
      return {
        ...base,
        type: 'payload',
        connection: event.connection,
        sequence: event.sequence,
        direction: event.direction,
        streamOffset: event.streamOffset,
        length: event.length,
        captured: event.bytes.length,
        preview: previewOf(event.bytes),
      };
    case 'action':
      return { ...base, type: 'action', ...actionFields(event), ...provenanceOf(event) };
    case 'open':
      return {
        ...base,
        type: 'open',
        error: errnoName(event.error),
        flags: openFlagNames(event.flags, context.architecture),
        inode: event.inode,
        device: event.device,
        path: textFromByteString(event.path),
        resolvedPath: textFromByteString(event.resolvedPath),
        descriptor: event.descriptor ?? null,
        ...provenanceOf(event),
      };
  }
}

function localOf({ family, localAddress, localPort }: ConnectEvent) {
  if (localAddress === undefined || localPort === undefined) return null;
  return { ip: addressText(family, localAddress), port: localPort };
}

function provenanceOf({ isFromCaller, isViaRing }: Provenance) {
  return { readFrom: isFromCaller === true ? 'caller' : 'kernel', ring: isViaRing === true } as const;
}

function tcpFields(event: TcpEvent) {
  const { family, role, bytesSent, bytesReceived, bytesAcked, retransmits, segmentsOut, segmentsIn } = event;
  return {
    family,
    role,
    local: { ip: addressText(family, event.localAddress), port: event.localPort },
    remote: { ip: addressText(family, event.remoteAddress), port: event.remotePort },
    lastState: tcpStateName(event.lastState),
    error: errnoName(event.error),
    bytesSent,
    bytesReceived,
    bytesAcked,
    retransmits,
    segmentsOut,
    segmentsIn,
    durationMs: event.durationUs === 0 ? null : event.durationUs / 1000,
  };
}

function previewOf(bytes: Uint8Array): string {
  const start = byteString(bytes, 0, Math.min(bytes.length, PREVIEW_BYTES));
  return printable(maskedTraffic(start), PREVIEW_CHARACTERS);
}
