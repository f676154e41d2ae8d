import { ACTION_PLAN, ACTION_SCOPE, ARGUMENT_KIND, ARGUMENT_TEST } from '../abi/abi.gen.ts';
import { ACTION_LIST, type Action, type ArgumentKind, type ArgumentTest } from '../model/actions.ts';
import { SYSCALLS, type Architecture, type SyscallName } from '../model/syscalls.ts';

/**
 * Which actions are told: effects of requests, within the scope that each has; or all of everybody, or those named there. A
 * system call that nobody asked for costs what it costs without Throughline, but for one test of a bit.
 */
export type ActionInterest = 'effects' | 'all' | readonly string[];

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

/** What the kernel side is told of each system call (struct action_plan), by number. */
export function* actionPlans(
  architecture: Architecture,
  interest: ActionInterest,
): Iterable<{ readonly number: number; readonly plan: Uint8Array }> {
  for (const action of ACTION_LIST)
    if (isWanted(action, interest))
      for (const [call, [syscall]] of Object.entries(action.calls).entries()) {
        const number = SYSCALLS[syscall as SyscallName][architecture];
        if (number !== null) yield { number, plan: planOf(action, call, interest) };
      }
}

/** The system calls of actions that are not told. */
export function unwantedCalls(interest: ActionInterest): ReadonlySet<SyscallName> {
  const unwanted = ACTION_LIST.filter((action) => !isWanted(action, interest));
  return new Set(unwanted.flatMap(({ calls }) => Object.keys(calls) as SyscallName[]));
}

function isWanted(action: Action & { readonly name: string }, interest: ActionInterest): boolean {
  if (interest === 'effects') return action.isOnDemand !== true;
  return asksFor(interest, action.name) || asksFor(interest, 'action');
}

/** Whether everybody's events of a type, or actions of a name, are asked for. */
export function asksFor(interest: ActionInterest, type: string): boolean {
  return interest === 'all' || (interest !== 'effects' && interest.includes(type));
}

function planOf(action: Action, call: number, interest: ActionInterest): Uint8Array {
  const bytes = Buffer.alloc(ACTION_PLAN.SIZE);
  const everybody = interest !== 'effects' || action.scope === 'everybody';
  bytes.writeUInt16LE(action.id, ACTION_PLAN.action);
  bytes.writeUInt8(everybody ? ACTION_SCOPE.EVERYBODY : ACTION_SCOPE.SERVING, ACTION_PLAN.scope);
  bytes.writeUInt8(call, ACTION_PLAN.call);
  const test = (interest === 'effects' ? action.effects?.test : undefined) ?? action.test;
  if (test !== undefined) {
    bytes.writeUInt8(TESTS[test.test], ACTION_PLAN.test);
    bytes.writeUInt32LE(test.argument, ACTION_PLAN.test_argument);
    bytes.writeBigUInt64LE(BigInt(test.value), ACTION_PLAN.test_value);
  }
  const argumentsOfCall = Object.values(action.calls)[call] ?? [];
  bytes.writeUInt8(argumentsOfCall.findIndex(({ isTarget }) => isTarget === true) + 1, ACTION_PLAN.target);
  for (const [index, { kind }] of argumentsOfCall.entries())
    bytes.writeUInt8(KINDS[kind], ACTION_PLAN.kinds + index);
  return bytes;
}
