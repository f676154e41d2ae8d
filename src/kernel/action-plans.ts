import { ACTION_PLAN, ACTION_SCOPE, ARGUMENT_KIND, ARGUMENT_TEST } from '../abi/abi.gen.ts';
import {
  ACTION_LIST,
  type Action,
  type ActionName,
  type ArgumentKind,
  type ArgumentTest,
} from '../model/actions.ts';
import { SYSCALLS, type Architecture, type SyscallName } from '../model/syscalls.ts';

/**
 * Which actions are told, and of whom: of processes that serve requests and what they started, or of everybody. A system
 * call that nobody asked for costs what it costs without Throughline, but for one test of a bit.
 */
export interface ActionInterest {
  readonly serving: ReadonlySet<ActionName>;
  /** Told of everybody, whether they stand in the other set or not. */
  readonly everybody: ReadonlySet<ActionName>;
  /** Of these no more than what is an effect by itself: raw sockets of all sockets. */
  readonly onlyEffects: ReadonlySet<ActionName>;
}

function namesOf(choose: (action: Action) => boolean): ReadonlySet<ActionName> {
  return new Set(ACTION_LIST.filter(choose).map(({ name }) => name));
}

/** Actions that are effects of requests, or findings by themselves, within the scope that each has. */
export const EFFECT_ACTIONS: ActionInterest = {
  serving: namesOf(({ isOnDemand, scope }) => isOnDemand !== true && scope === 'serving'),
  everybody: namesOf(({ isOnDemand, scope }) => isOnDemand !== true && scope === 'everybody'),
  onlyEffects: namesOf(({ effects }) => effects !== undefined),
};

export const ALL_ACTIONS: ActionInterest = {
  serving: new Set(),
  everybody: namesOf(() => true),
  onlyEffects: new Set(),
};

/** Those of these names, of everybody; all for the name that they have as events. */
export function actionsNamed(names: readonly string[]): ActionInterest {
  if (names.includes('action')) return ALL_ACTIONS;
  const everybody = new Set(ACTION_LIST.map(({ name }) => name).filter((name) => names.includes(name)));
  return { serving: new Set(), everybody, onlyEffects: new Set() };
}

/** Of enum action_target in bpf/abi.h. */
const TARGET_IS_DESCRIPTOR = 8;

const KINDS: Readonly<Record<ArgumentKind, number>> = {
  number: ARGUMENT_KIND.NUMBER,
  text: ARGUMENT_KIND.TEXT,
  path: ARGUMENT_KIND.PATH,
  'path-at': ARGUMENT_KIND.PATH_AT,
  file: ARGUMENT_KIND.FILE,
  bytes: ARGUMENT_KIND.BYTES,
  word: ARGUMENT_KIND.WORD,
};
const TESTS: Readonly<Record<ArgumentTest['test'], number>> = {
  'any-bit': ARGUMENT_TEST.ANY_BIT,
  'at-most': ARGUMENT_TEST.AT_MOST,
  other: ARGUMENT_TEST.OTHER,
  'raw-socket': ARGUMENT_TEST.RAW_SOCKET,
};

/** What the kernel side is told of each system call of the catalogue; null for those that are not told. */
export function* actionPlans(
  architecture: Architecture,
  interest: ActionInterest,
): Iterable<{ readonly syscall: SyscallName; readonly number: number; readonly plan: Uint8Array | null }> {
  for (const action of ACTION_LIST) {
    const everybody = interest.everybody.has(action.name);
    const isWanted = everybody || interest.serving.has(action.name);
    for (const [call, name] of Object.keys(action.calls).entries()) {
      const syscall = name as SyscallName;
      const number = SYSCALLS[syscall][architecture];
      if (number !== null)
        yield {
          syscall,
          number,
          plan: isWanted ? planOf(action, call, everybody, interest.onlyEffects.has(action.name)) : null,
        };
    }
  }
}

function planOf(action: Action, call: number, everybody: boolean, isOnlyEffect: boolean): Uint8Array {
  const bytes = Buffer.alloc(ACTION_PLAN.SIZE);
  bytes.writeUInt16LE(action.id, ACTION_PLAN.action);
  bytes.writeUInt8(everybody ? ACTION_SCOPE.EVERYBODY : ACTION_SCOPE.SERVING, ACTION_PLAN.scope);
  bytes.writeUInt8(call, ACTION_PLAN.call);
  const test = (isOnlyEffect ? action.effects?.test : undefined) ?? action.test;
  if (test !== undefined) {
    bytes.writeUInt8(TESTS[test.test], ACTION_PLAN.test);
    bytes.writeUInt32LE(test.argument, ACTION_PLAN.test_argument);
    bytes.writeBigUInt64LE(BigInt(test.value), ACTION_PLAN.test_value);
  }
  const argumentsOfCall = Object.values(action.calls)[call] ?? [];
  const target = argumentsOfCall.findIndex(({ isTarget }) => isTarget !== undefined);
  const isDescriptor = argumentsOfCall[target]?.isTarget === 'descriptor';
  bytes.writeUInt8((target + 1) | (isDescriptor ? TARGET_IS_DESCRIPTOR : 0), ACTION_PLAN.target);
  for (const [index, { kind }] of argumentsOfCall.entries())
    bytes.writeUInt8(KINDS[kind], ACTION_PLAN.kinds + index);
  return bytes;
}
