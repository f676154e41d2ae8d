import { nearestWord } from '../../base/nearest-word.ts';
import { eventTypeOf } from '../event-types.ts';
import { isEventArgument } from './event-arguments.ts';
import { DESCRIPTOR_FIELDS } from './descriptor-fields.ts';
import { ENVIRONMENT_FIELDS } from './environment-fields.ts';
import { EVENT_FIELDS } from './event-fields.ts';
import { EXEC_FIELDS } from './exec-fields.ts';
import type { Field } from './field.ts';
import { IDENTITY_FIELDS } from './identity-fields.ts';
import { PROCESS_FIELDS } from './process-fields.ts';
import { REQUEST_FIELDS } from './request-fields.ts';
import { UNANSWERED_FIELDS } from './unanswered-fields.ts';

/** Fields that could be answered, but for which the events of today have no value. */
const AWAITED: Readonly<Record<string, string>> = {
  'evt.cpu': 'the processor is not handed on with what happened',
  'fs.path.sourceraw': 'paths of calls with two are told as absolute ones',
  'fs.path.targetraw': 'paths of calls with two are told as absolute ones',
};

const TABLE: readonly Field[] = [
  ...EVENT_FIELDS,
  ...PROCESS_FIELDS,
  ...EXEC_FIELDS,
  ...ENVIRONMENT_FIELDS,
  ...IDENTITY_FIELDS,
  ...DESCRIPTOR_FIELDS,
  ...REQUEST_FIELDS,
  ...UNANSWERED_FIELDS,
];

/** Every field that rules may name: the one table behind rules, outputs, documents and the console. */
export const FIELDS: readonly Field[] = TABLE.map((field) => ({
  ...field,
  reason: field.reason ?? AWAITED[field.name] ?? null,
}));

const byName = new Map(FIELDS.map((field) => [field.name, field]));

const any = (): boolean => true;

/** Fields whose argument may be a part of the name: `evt.arg.flags` is `evt.arg[flags]`. */
const DOTTED: readonly (readonly [field: string, knows: (argument: string) => boolean])[] = [
  ['evt.arg', isEventArgument],
  ['evt.rawarg', isEventArgument],
  ['evt.type.is', (name) => eventTypeOf(name) !== null],
  ...TABLE.filter(({ name }) => name.endsWith('.label')).map(({ name }) => [name, any] as const),
  ['thread.cgroup', any],
  ['proc.env', any],
  ['proc.aenv', any],
];

/** A field as a rule names it, and the argument that its name holds. null: there is none with this name. */
export function findField(name: string): { field: Field; argument: string | null } | null {
  const field = byName.get(name);
  if (field !== undefined) return { field, argument: null };
  for (const [prefix, knows] of DOTTED) {
    const dotted = byName.get(prefix);
    const argument = name.slice(prefix.length + 1);
    if (dotted !== undefined && name.startsWith(`${prefix}.`) && knows(argument))
      return { field: dotted, argument };
  }
  return null;
}

/** The name that was probably meant. */
export function nearestField(name: string): string | null {
  return nearestWord(name, [...byName.keys()]);
}
