import { textFromByteString, type ByteString } from '../base/bytes.ts';
import type { ContainerPlace } from './container-view.ts';
import type { Clock } from '../base/clock.ts';
import type { Effect, QueryEffect } from '../model/effect.ts';
import { actionFields } from './action-view.ts';
import { traitsOf } from '../model/exec-details.ts';
import type { ExecutableFile, ExecutableHash } from '../model/executable.ts';
import { errnoName, openFlagNames } from './linux-names.ts';
import { maskedParameters, maskedStatement } from './secrets.ts';
import type { EffectView, EffectViewBase, QueryEffectView } from './views.ts';

/** What views need besides the model. */
export interface ViewContext {
  readonly clock: Clock;
  /** Architecture of the captured host, as Node or the kernel names it: some flags differ. */
  readonly architecture: string;
  /** Values of variables of the environment are shown. Absent: no. */
  readonly showsVariables?: boolean;
  /** What is known of the cgroup that an event names; null: nothing. */
  readonly world: { cgroupOf(cgroupId: number): ContainerPlace | null };
}

/** The hash of a file, where it was asked for and answered. */
export function hashOf(file: ExecutableFile | null | undefined): { readonly hash?: ExecutableHash } {
  const hash = file?.hash ?? null;
  return hash === null ? {} : { hash };
}

export function effectView(effect: Effect, context: ViewContext): EffectView {
  const base = {
    grade: effect.attribution.grade,
    reason: effect.attribution.reason,
    pid: effect.pid,
    tid: effect.tid,
    // The one that forked it, also when that has exited since: the tree of what happened hangs together by it.
    ppid: effect.process.parent?.pid ?? effect.process.parentPid,
    comm: textFromByteString(commOf(effect)),
    time: timeText(effect.timeNs, context.clock),
  };
  switch (effect.type) {
    case 'exec':
      return {
        type: 'exec',
        ...base,
        path: textFromByteString(effect.path),
        executable: textFromByteString(effect.executable),
        argv: effect.argv.map(textFromByteString),
        cwd: textFromByteString(effect.workingDirectory),
        uid: effect.uid,
        user: effect.uid === effect.process.uid ? effect.process.userName : null,
        stdio: effect.stdio,
        argvTruncated: effect.argvTruncated,
        traits: traitsOf(effect.details),
        ...hashOf(effect.file),
      };
    case 'exit':
      return { type: 'exit', ...base, code: effect.code };
    case 'open':
      return {
        type: 'open',
        ...base,
        path: textFromByteString(effect.path),
        resolvedPath: textFromByteString(effect.resolvedPath),
        write: effect.isWrite,
        flags: openFlagNames(effect.flags, context.architecture),
        error: errnoName(effect.error),
      };
    case 'connect':
      return {
        type: 'connect',
        ...base,
        family: effect.family,
        transport: effect.transport,
        address: effect.remote.address,
        port: effect.remote.port,
        error: errnoName(effect.error),
        inProgress: effect.isInProgress,
      };
    case 'action':
      return { type: 'action', ...base, ...actionFields(effect) };
    case 'query':
      return { type: 'query', ...base, ...queryFields(effect) };
  }
}

function queryFields(effect: QueryEffect): Omit<QueryEffectView, keyof EffectViewBase> {
  const { query, remote, outcome, endedNs, timeNs } = effect;
  const operation = textFromByteString(query.operation);
  return {
    protocol: query.protocol,
    operation,
    statement: maskedStatement(operation, textFromByteString(query.statement)),
    parameters: maskedParameters(operation, query.parameters.map(textFromByteString)),
    database: textFromByteString(query.database),
    user: textFromByteString(query.user),
    remote: { ip: remote.address, port: remote.port },
    outcome:
      outcome === null
        ? null
        : {
            isError: outcome.isError,
            code: textFromByteString(outcome.code),
            message: textFromByteString(outcome.message),
            rows: outcome.rows,
            answers: outcome.answers.map(textFromByteString),
          },
    durationMs: endedNs === null ? null : Math.round((endedNs - timeNs) / 1e3) / 1e3,
    truncated: query.isTruncated,
    anomalies: query.anomalies,
    servedAs: effect.servedAs?.id ?? null,
  };
}

/**
 * The short name of the process at the time of the effect. A process keeps the name of its newest program; an exec
 * sets it to the last part of the path, at most 15 bytes (begin_new_exec in fs/exec.c).
 */
export function commOf(effect: Effect): ByteString {
  if (effect.type !== 'exec') return effect.process.comm;
  return effect.path.slice(effect.path.lastIndexOf('/') + 1).slice(0, 15) || effect.process.comm;
}

/** ISO-8601 in UTC with milliseconds. */
export function timeText(timeNs: number, clock: Clock): string {
  return isoTime(clock.wallMs(timeNs));
}

/** The same from milliseconds since the Unix epoch; never throws, whatever a damaged recording says. */
export function isoTime(ms: number): string {
  return new Date(Math.abs(ms) <= 8.64e15 ? ms : 0).toISOString();
}
