import { variableOf } from '../../model/environment.ts';
import type { Process } from '../../model/process.ts';
import { field } from './define.ts';
import type { Field } from './field.ts';

/** As the reference engine goes up. */
const MAX_ANCESTORS = 20;

const UNNAMED = 'only variables that are asked for by name are captured';

/** Variables of the environment. Rules that name one have it captured from then on: see interest.ts. */
export const ENVIRONMENT_FIELDS: readonly Field[] = [
  variableField(
    'proc.env',
    'Variable of the environment that the program was started with, by its name.',
    (process, name) => variableOf(process.environment, name),
  ),
  variableField(
    'proc.aenv',
    'The same of the nearest ancestor that has it, by its name.',
    (process, name) => {
      let ancestor = process.parent;
      for (let step = 0; ancestor !== null && step < MAX_ANCESTORS; step++) {
        const value = variableOf(ancestor.environment, name);
        if (value !== null) return value;
        ancestor = ancestor.parent;
      }
      return null;
    },
  ),
];

function variableField(
  name: string,
  description: string,
  get: (process: Process, variable: string) => string | null,
): Field {
  return {
    ...field(name, 'string', 'name', description, 'single', (variable) => ({
      shape: 'single',
      type: 'string',
      get: ({ process }) => (process === null || variable === null ? null : get(process, variable)),
    })),
    reasonWithout: UNNAMED,
    // Of ancestors, a number is the step, and all of its environment is meant.
    reasonFor: (variable) => (name === 'proc.aenv' && /^\d+$/.test(variable) ? UNNAMED : null),
  };
}
