import { endpointText } from '../base/addresses.ts';
import { textFromByteString, type ByteString } from '../base/bytes.ts';
import { socketAddressOf } from '../base/socket-address.ts';
import { argumentsOf, type ActionName, type Argument, type Names } from '../model/actions.ts';
import type { ActionArgument } from '../model/event.ts';
import type { SyscallName } from '../model/syscalls.ts';
import { errnoName, signalName } from './linux-names.ts';

/** What was passed, by the names of the catalogue: numbers, texts, or names of the bits that are set. */
export type ActionArguments = Readonly<Record<string, number | string | readonly string[]>>;

export interface ActionFields {
  readonly action: ActionName;
  readonly syscall: SyscallName;
  readonly arguments: ActionArguments;
  /** What the call returned; null for an error. */
  readonly result: number | null;
  /** Name such as EPERM; null when it succeeded. */
  readonly error: string | null;
}

/** An action as it is shown, of an event or an effect. */
export function actionFields(of: {
  readonly action: ActionName;
  readonly syscall: SyscallName;
  readonly arguments: readonly ActionArgument[];
  readonly result: number;
}): ActionFields {
  const shown: Record<string, number | string | readonly string[]> = {};
  for (const [index, argument] of argumentsOf(of.action, of.syscall).entries()) {
    const value = of.arguments[index];
    if (argument.name !== null && value !== undefined) shown[argument.name] = argumentView(argument, value);
  }
  return {
    action: of.action,
    syscall: of.syscall,
    arguments: shown,
    result: of.result < 0 ? null : of.result,
    error: of.result < 0 ? errnoName(-of.result) : null,
  };
}

function argumentView(argument: Argument, value: ActionArgument): number | string | readonly string[] {
  if (typeof value === 'string')
    return argument.as === 'address' ? socketAddressText(value) : textFromByteString(value);
  if (argument.names !== undefined) return namesOf(value, argument.names);
  switch (argument.as) {
    case 'octal':
      return `0${(value % 0o10000000).toString(8)}`;
    case 'hex':
      return `0x${value.toString(16)}`;
    case 'signal':
      return signalName(value) ?? value;
    default:
      return value;
  }
}

/** The name of a value, or those of the bits that are set; what has no name stays a number. */
function namesOf(value: number, names: Names): number | string | readonly string[] {
  if (names.kind === 'values') return names.byNumber[value] ?? value;
  const set: string[] = [];
  let rest = value >>> 0;
  for (const [bit, name] of Object.entries(names.byNumber))
    if ((rest & Number(bit)) !== 0) {
      set.push(name);
      rest = (rest & ~Number(bit)) >>> 0;
    }
  if (rest !== 0) set.push(`0x${rest.toString(16)}`);
  return set;
}

/** struct sockaddr as people write it; '' for one of another family, or that was cut. */
function socketAddressText(raw: ByteString): string {
  const at = socketAddressOf(raw);
  if (at === null) return '';
  return at.family === 'unix' ? textFromByteString(at.address) : endpointText(at.address, at.port, at.family);
}
