import type { ByteString } from '../../base/bytes.ts';
import { variableOf } from '../../model/environment.ts';
import type { Process } from '../../model/process.ts';
import { field } from './define.ts';
import type { Access, Field } from './field.ts';

/** As the reference engine goes up. */
const MAX_ANCESTORS = 20;

/** Of all of an environment only that is there which somebody asked for by name. */
const PARTLY = 'has only variables that --env, or a rule, asks for by name';

/** Variables of the environment. Rules that name one have it captured from then on: see interest.ts. */
export const ENVIRONMENT_FIELDS: readonly Field[] = [
  {
    ...field(
      'proc.env',
      'string',
      'name',
      'Variable of the environment that the program was started with, by its name; without one all that are known: NAME=value NAME=value.',
      'single',
      (name) =>
        ofProcess((process) => (name === null ? wholeOf(process) : variableOf(process.environment, name))),
    ),
    caveat: (name) => (name === null ? PARTLY : null),
  },
  {
    ...field(
      'proc.aenv',
      'string',
      'name',
      'The same of the nearest ancestor that has it, by its name; [2] is all that is known of the parent of the parent, and without either of any ancestor.',
      'any',
      (argument) => {
        if (argument === null) return ANY_ANCESTOR;
        const isStep = isAncestorStep(argument);
        return ofProcess((process) =>
          isStep ? wholeOfAncestor(process, Number(argument)) : nearest(process, argument),
        );
      },
    ),
    caveat: (argument) => (argument === null || isAncestorStep(argument) ? PARTLY : null),
  },
];

/** Of ancestors a number is the step, no name. */
export function isAncestorStep(argument: string): boolean {
  return /^\d+$/.test(argument);
}

const ANY_ANCESTOR: Access = {
  shape: 'any',
  type: 'string',
  isEveryUnequal: false,
  some: ({ process }, test) =>
    process !== null &&
    someAncestor(process, (ancestor) => {
      const whole = wholeOf(ancestor);
      return whole !== null && test(whole);
    }),
};

function ofProcess(get: (process: Process) => ByteString | null): Access {
  return {
    shape: 'single',
    type: 'string',
    get: ({ process }) => (process === null ? null : get(process)),
  };
}

function wholeOf({ environment }: Process): ByteString | null {
  return environment === null || environment === undefined || environment.variables.length === 0
    ? null
    : environment.variables.join(' ');
}

function wholeOfAncestor(process: Process, steps: number): ByteString | null {
  let ancestor: Process | null = process;
  for (let step = 0; ancestor !== null && step < steps; step++)
    ancestor = step < MAX_ANCESTORS ? ancestor.parent : null;
  return ancestor === null ? null : wholeOf(ancestor);
}

function nearest(process: Process, name: string): ByteString | null {
  let value: ByteString | null = null;
  someAncestor(process, ({ environment }) => (value = variableOf(environment, name)) !== null);
  return value;
}

function someAncestor(process: Process, test: (ancestor: Process) => boolean): boolean {
  let ancestor = process.parent;
  for (let step = 0; ancestor !== null && step < MAX_ANCESTORS; step++) {
    if (test(ancestor)) return true;
    ancestor = ancestor.parent;
  }
  return false;
}
