import type { ExecEffect } from '../model/effect.ts';
import type { ExecEvent } from '../model/event.ts';
import type { Detection } from '../model/finding.ts';
import type { Process } from '../model/process.ts';

/** S_ISUID */
const SET_USER_ID = 0o4000;
/** CAP_SETUID of include/uapi/linux/capability.h, as a value: sets are numbers of more than 32 bits. */
const CAP_SETUID = 2 ** 7;
/** Losses are told within so long: by then, nothing that would explain a jump was lost. */
const WAIT_NS = 1_500_000_000;
const MAX_WAITING = 64;

/** Users that a program was started as: the real one, the effective one, the saved one. */
export type UserIds = readonly [real: number, effective: number, saved: number];

interface Jump {
  readonly effect: ExecEffect;
  readonly before: UserIds;
  readonly after: UserIds;
  readonly dueNs: number;
}

/**
 * Who a process was when its program was started, where that says who it can have become since: without CAP_SETUID a process
 * changes among its own three user ids and no others, whatever it calls. null: it may be anybody, or nothing is known.
 */
export function boundUserIds(process: Process): UserIds | null {
  const { uid, effectiveUid = -1, details = null } = process;
  if (details === null || effectiveUid < 0) return null;
  const isFree = Math.floor(details.capabilities.permitted / CAP_SETUID) % 2 === 1;
  return isFree ? null : [uid, effectiveUid, details.savedUid];
}

/**
 * Finds programs that run as somebody whom their process could not become: by a bug in the kernel that was used, or by a
 * handler of binfmt_misc that lends the rights of a file to another program. Seen at the next exec, since those are told with their
 * credentials anyway.
 */
export class CredentialJumps {
  readonly #emit: (detection: Detection, timeNs: number) => void;
  #waiting: Jump[] = [];
  /** What was known before is not to be relied on. */
  #lostNs = -Infinity;

  constructor(emit: (detection: Detection, timeNs: number) => void) {
    this.#emit = emit;
  }

  /** Whether an exec is a jump. @param process as it was before; what it became is not written to it yet */
  before(event: ExecEvent, process: Process): UserIds | null {
    const { details = null } = event;
    if (details === null || (process.executedNs ?? -Infinity) <= this.#lostNs) return null;
    const known = boundUserIds(process);
    if (known === null || (details.mode & SET_USER_ID) !== 0) return null;
    // Who makes a user namespace, or enters one, has other rights in it.
    if (details.namespaces.user !== process.details?.namespaces.user) return null;
    return afterOf(event).every((id) => known.includes(id)) ? null : known;
  }

  jumped(event: ExecEvent, effect: ExecEffect, before: UserIds): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push({ effect, before, after: afterOf(event), dueNs: event.timeNs + WAIT_NS });
  }

  /** Some exec may not have been seen: then what looks like a jump may be none. */
  lost(timeNs: number): void {
    this.#lostNs = timeNs;
    this.#waiting = [];
  }

  tick(nowNs: number): void {
    for (
      let first = this.#waiting[0];
      first !== undefined && nowNs >= first.dueNs;
      first = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#emit(detectionOf(first), Math.min(nowNs, first.dueNs));
    }
  }
}

function afterOf({ uid, effectiveUid, details }: ExecEvent): UserIds {
  return [uid, effectiveUid, details?.savedUid ?? uid];
}

function detectionOf({ effect, before, after }: Jump): Detection {
  const [from, to] = [idsText(before), idsText(after)];
  return {
    detector: 'credential-jumps',
    verdict: 'SUSPICIOUS',
    class: 'privilege-escalation',
    severity: after.includes(0) ? 'critical' : 'high',
    title: `Credentials changed inside the kernel: ${from} became ${to}, which no call and no set-user-id program can have done`,
    cwe: [269],
    // Exploitation for Privilege Escalation.
    attack: ['T1068'],
    request: effect.attribution.request,
    effect,
    evidence: [
      {
        source: 'credentials of the process',
        value: `${from} -> ${to}`,
        sink: null,
        sinkValue: null,
        offset: -1,
        note: noteOf(effect),
      },
    ],
  };
}

function noteOf({ details = null }: ExecEffect): string {
  const how = 'real, effective and saved user id at its exec before and at this one; it had no CAP_SETUID';
  return details?.interpreter === null
    ? how
    : `${how}; another program was run for the file that was executed, which a handler of binfmt_misc (flag C) can lend the file's rights`;
}

function idsText(ids: UserIds): string {
  return ids.every((id) => id === ids[0]) ? `user ${ids[0]}` : `users ${ids.join('/')}`;
}
