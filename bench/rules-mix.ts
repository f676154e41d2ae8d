import { effectOfConnect, effectOfExec, effectOfOpen } from '../src/app/effects.ts';
import { Pipeline } from '../src/app/pipeline.ts';
import { PROTOCOLS } from '../src/app/registry.ts';
import { FRAME_EVENT } from '../src/capture/recording-format.ts';
import type { Attribution, Effect } from '../src/model/effect.ts';
import type { ExecEvent } from '../src/model/event.ts';
import { makeHeader } from '../src/model/testing.ts';
import { ProcessTable } from '../src/world/process-table.ts';
import { FIXTURES, recordingPath } from '../test/support/fixtures.ts';
import { factOf, readRecording } from '../test/support/recordings.ts';

export type Mix = readonly Effect[];

const NONE: Attribution = { grade: 'none', reason: '', request: null, candidates: [] };

/** Programs and who starts them: a web server with a pool, ssh, cron. */
const PROGRAMS: readonly (readonly [path: string, parent: number, argv: readonly string[]])[] = [
  ['/usr/lib/systemd/systemd', -1, ['/sbin/init']],
  ['/usr/sbin/nginx', 0, ['nginx: master process', '/usr/sbin/nginx']],
  ['/usr/sbin/php-fpm8.2', 0, ['php-fpm: pool www']],
  ['/usr/bin/dash', 2, ['sh', '-c', 'convert in.png -resize 80x80 out.png']],
  ['/usr/bin/convert', 3, ['convert', 'in.png', '-resize', '80x80', 'out.png']],
  ['/usr/sbin/sshd', 0, ['sshd: /usr/sbin/sshd -D']],
  ['/usr/bin/bash', 5, ['-bash']],
  ['/usr/bin/git', 6, ['git', 'status', '--porcelain']],
  ['/usr/sbin/cron', 0, ['/usr/sbin/cron', '-f']],
  ['/usr/bin/node', 0, ['node', '/srv/app/server.js']],
];

const FILES = [
  '/etc/ld.so.cache',
  '/lib/x86_64-linux-gnu/libc.so.6',
  '/srv/app/node_modules/express/index.js',
  '/var/lib/php/sessions/sess_0123456789abcdef',
  '/usr/share/zoneinfo/UTC',
  '/proc/self/status',
  '/srv/app/views/index.html',
  '/tmp/upload-7f3a2b',
  '/home/al/.cache/thing',
  '/etc/nsswitch.conf',
];

/** Of a hundred effects 8 are programs that start, 84 files that are opened, 8 connections. The objects are the product's own. */
export function madeUpMix(): Mix {
  const table = new ProcessTable();
  const execs = PROGRAMS.map(([path, parent, argv], index) => execOf(path, parent, argv, index));
  const processes = execs.map((event) => table.applyExec(event));
  const effects: Effect[] = [];
  for (let index = 0; index < 400; index++) {
    const at = (index * 7) % processes.length;
    const process = processes[at];
    const exec = execs[at];
    if (process === undefined || exec === undefined) continue;
    const header = { ...makeHeader(process.pid, 1e12 + index), startTicks: process.startTicks };
    if (index % 12 === 0) {
      effects.push(effectOfExec(exec, process, NONE));
    } else if (index % 12 === 6) {
      const remoteAddress = String.fromCharCode(192, 0, 2, index % 250);
      const event = {
        ...header,
        kind: 'connect',
        family: 'ipv4',
        transport: 'stream',
        remoteAddress,
        remotePort: 443,
        error: 115,
      } as const;
      effects.push(effectOfConnect(event, process, NONE));
    } else {
      const path = FILES[index % FILES.length] ?? '';
      const flags = index % 5 === 0 ? 0o1101 : 0o2000000;
      const error = index % 9 === 0 ? 2 : 0;
      const event = {
        ...header,
        kind: 'open',
        error,
        flags,
        inode: 1,
        device: 1,
        path,
        resolvedPath: path,
      } as const;
      effects.push(effectOfOpen(event, process, NONE));
    }
  }
  return effects;
}

/** Connections of a web server, each to an address of its own: IPv4, or IPv6 written at length. */
export function madeUpConnections(family: 'ipv4' | 'ipv6'): Mix {
  const [path, , argv] = PROGRAMS[1] ?? ['', -1, []];
  const process = new ProcessTable().applyExec(execOf(path, -1, argv, 0));
  return Array.from({ length: 200 }, (_, index) => {
    const rest = [index, 7 * index, 31 * index].map((one) => one & 0xff);
    const octets =
      family === 'ipv4' ? [192, ...rest] : [0x20, 1, 0xd, 0xb8, 18, 52, 171, 205, 0, 0, 86, 120, 1, ...rest];
    const event = {
      ...makeHeader(process.pid, 1e12 + index),
      startTicks: process.startTicks,
      kind: 'connect',
      family,
      transport: 'stream',
      remoteAddress: String.fromCharCode(...octets),
      remotePort: 443,
      error: 115,
    } as const;
    return effectOfConnect(event, process, NONE);
  });
}

function execOf(path: string, parent: number, argv: readonly string[], index: number): ExecEvent {
  return {
    ...makeHeader(index + 1, 1e9 * (index + 1)),
    startTicks: 100 * (index + 1),
    kind: 'exec',
    parentPid: parent + 1,
    uid: 33,
    gid: 33,
    effectiveUid: 33,
    effectiveGid: 33,
    groups: [],
    inode: 100 + index,
    device: 1,
    stdio: ['pipe', 'pipe', 'file'],
    comm: path.slice(path.lastIndexOf('/') + 1).slice(0, 15),
    path,
    executable: path,
    workingDirectory: '/srv',
    argv: [...argv],
  };
}

/** What real servers did while the recordings of the tests were made. */
export function recordedMix(): Mix {
  const effects: Effect[] = [];
  const ignore = () => undefined;
  for (const { name } of FIXTURES) {
    const pipeline = new Pipeline({
      protocols: PROTOCOLS,
      detectors: [],
      wants: { findings: false, requests: true, events: false },
      output: {
        event: ignore,
        effect: (effect) => effects.push(effect),
        finding: ignore,
        request: ignore,
        lateEffect: ignore,
        orphan: ignore,
        loss: ignore,
        ignoreConnection: ignore,
        failed: (error) => {
          throw error;
        },
      },
    });
    for (const frame of readRecording(recordingPath(name)).frames) {
      const fact = factOf(frame);
      const { content } = frame;
      if (fact !== null) pipeline.fact(fact);
      else if (frame.type === FRAME_EVENT)
        pipeline.event(content, new DataView(content.buffer, content.byteOffset), 0, content.length);
    }
    pipeline.end();
  }
  return effects;
}
