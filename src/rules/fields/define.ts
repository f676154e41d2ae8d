import { openModeOf, type RuleEvent } from '../event.ts';
import type { ArgumentKind, EventVariant, Field, ValueOf, ValueType } from './field.ts';

/** Short ways to write the table of fields. */

export function single<Type extends ValueType>(
  name: string,
  type: Type,
  description: string,
  get: (event: RuleEvent) => ValueOf[Type] | null,
  has?: (event: RuleEvent) => boolean,
): Field {
  const access = { shape: 'single', type, get, ...(has === undefined ? {} : { has }) } as const;
  return field(name, type, 'none', description, 'single', () => access);
}

/** A field that depends on nothing but the type of the event. */
export function ofType<Type extends ValueType>(
  name: string,
  type: Type,
  description: string,
  get: (type: number) => ValueOf[Type] | null,
): Field {
  return field(name, type, 'none', description, 'single', () => ({
    shape: 'single',
    type,
    get: (event) => get(event.type),
    ofVariant: (variant) => get(variant.type),
  }));
}

/** A field that depends on the access mode of a call that opens. */
export function ofOpenMode(name: string, description: string, get: (mode: number | null) => boolean): Field {
  return field(name, 'boolean', 'none', description, 'single', () => ({
    shape: 'single',
    type: 'boolean',
    get: ({ openFlags }) => get(openModeOf(openFlags)),
    ofVariant: ({ openMode }: EventVariant) => (openMode === undefined ? undefined : get(openMode)),
  }));
}

/** Several values under a name, any of which may match. */
export function namedAny(
  name: string,
  description: string,
  some: (event: RuleEvent, argument: string, test: (value: string) => boolean) => boolean,
): Field {
  return field(name, 'string', 'required name', description, 'any', (argument) => {
    const given = argument ?? '';
    return {
      shape: 'any',
      type: 'string',
      isEveryUnequal: false,
      some: (event, test) => some(event, given, test),
    };
  });
}

export function list(
  name: string,
  description: string,
  get: (event: RuleEvent) => readonly string[] | null,
): Field {
  return field(name, 'string', 'none', description, 'list', () => ({ shape: 'list', type: 'string', get }));
}

/** Both ends of a connection: any of them may match, and `!=` is true where none does. */
export function eitherEnd<Type extends ValueType>(
  name: string,
  type: Type,
  description: string,
  some: (event: RuleEvent, test: (value: ValueOf[Type]) => boolean) => boolean,
): Field {
  return {
    ...field(name, type, 'none', description, 'any', () => ({
      shape: 'any',
      type,
      isEveryUnequal: true,
      some,
    })),
    isFilterOnly: true,
  };
}

export function field(
  name: string,
  type: ValueType,
  argument: ArgumentKind,
  description: string,
  shape: Field['shape'],
  bind: Field['bind'],
): Field {
  return { name, type, argument, description, shape, isFilterOnly: false, reason: null, bind };
}

/** Fields that wait for the same thing. */
export function unanswered(
  reason: string,
  fields: Readonly<Record<string, readonly [type: ValueType, description: string, argument?: ArgumentKind]>>,
): Field[] {
  return Object.entries(fields).map(([name, [type, description, argument = 'none']]) => ({
    name,
    type,
    argument,
    description,
    reason,
    shape: 'single',
    isFilterOnly: false,
    bind: null,
  }));
}
