import { endpointText } from '../base/addresses.ts';
import { byteStringFromText, type ByteString } from '../base/bytes.ts';
import { normalisePath } from '../base/path.ts';
import { socketAddressOf } from '../base/socket-address.ts';
import type { Argument, Names } from '../model/actions.ts';
import type { ActionEffect } from '../model/effect.ts';
import { openFlagNames, signalName } from '../output/linux-names.ts';
import type { RuleCall } from '../rules/calls.ts';
import { errorName } from '../rules/fields/errno.ts';

/** How rules read the arguments of actions: as the reference engine prints them. */

/** What begins the names of flags here, and not there. */
const LONGER_NAMES = /^(?:MS|MNT|UMOUNT)_/;

/** include/uapi/linux/stat.h */
const MODE_BITS: Names = {
  kind: 'bits',
  byNumber: {
    0o1: 'S_IXOTH',
    0o2: 'S_IWOTH',
    0o4: 'S_IROTH',
    0o10: 'S_IXGRP',
    0o20: 'S_IWGRP',
    0o40: 'S_IRGRP',
    0o100: 'S_IXUSR',
    0o200: 'S_IWUSR',
    0o400: 'S_IRUSR',
    0o1000: 'S_ISVTX',
    0o2000: 'S_ISGID',
    0o4000: 'S_ISUID',
  },
};
const MODE_MASK = 0o7777;

/** The text of an argument or of the result; null where the call has none of this name. */
export function argumentText(
  effect: ActionEffect,
  call: RuleCall,
  name: string,
  architecture: string,
): ByteString | null {
  const told = call.arguments.get(name);
  if (told === undefined) {
    if (name !== call.resultName) return null;
    return effect.result < 0 ? errorName(-effect.result) : String(effect.result);
  }
  const value = effect.arguments[told.position];
  if (value === undefined) return null;
  if (typeof value === 'string') return textOfBytes(value, told.argument);
  // Its flags are those of open(2).
  if (effect.action === 'open_by_handle' && name === 'flags')
    return openFlagNames(value, architecture).join('|');
  return textOfNumber(value, told.argument);
}

/** An argument or the result as a number; null where the call has none of this name, or as text. */
export function argumentNumber(effect: ActionEffect, call: RuleCall, name: string): number | null {
  const told = call.arguments.get(name);
  if (told === undefined) return name === call.resultName ? effect.result : null;
  const value = effect.arguments[told.position];
  return typeof value === 'number' ? value : null;
}

/** A path that the call names, absolute; null where it names none in this role. */
export function pathIn(effect: ActionEffect, position: number): ByteString | null {
  const value = effect.arguments[position];
  if (typeof value !== 'string' || value === '') return null;
  // Texts, such as what a symbolic link points to, are as they were passed.
  return value.startsWith('/') || value.startsWith('[')
    ? value
    : normalisePath(`${effect.process.workingDirectory}/${value}`);
}

function textOfBytes(value: ByteString, { kind, as }: Argument): ByteString {
  if (kind === 'file') return `<f>${value}`;
  if (as !== 'address') return value;
  const at = socketAddressOf(value);
  if (at === null) return '';
  return at.family === 'unix' ? at.address : byteStringFromText(endpointText(at.address, at.port, at.family));
}

function textOfNumber(value: number, argument: Argument): string {
  if (argument.as === 'octal') return flagText(value & MODE_MASK, MODE_BITS);
  if (argument.as === 'signal') return signalName(value) ?? String(value);
  if (argument.as === 'hex') return value.toString(16).toUpperCase();
  if (argument.names === undefined) return String(value);
  if (argument.names.kind === 'values') return argument.names.byNumber[value] ?? String(value);
  return flagText(value, argument.names);
}

/** Names of the bits that are set, with | between; the number where none has a name. */
function flagText(value: number, { byNumber }: Names): string {
  let text = '';
  for (const bit in byNumber) {
    if ((value & Number(bit)) === 0) continue;
    text += `${text === '' ? '' : '|'}${byNumber[bit]?.replace(LONGER_NAMES, '')}`;
  }
  return text === '' ? String(value) : text;
}
