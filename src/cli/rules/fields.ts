import { fieldSyntax } from '../../rules/fields/syntax.ts';
import { FIELDS } from '../../rules/fields/registry.ts';
import type { Field } from '../../rules/fields/field.ts';
import { defineCommand } from '../command.ts';
import { jsonOption } from '../common-options.ts';

export const fieldsCommand = defineCommand({
  name: 'rules fields',
  summary: 'print the fields that rules may ask for',
  description: [
    'One line for each field: how it is written, its type and what it is; of fields that no event answers yet, why.',
  ],
  positionals: [],
  options: { json: jsonOption },
  examples: [{ command: "throughline rules fields | grep '^proc'", help: 'what can be asked of a process' }],
  run({ console }, values) {
    const width = Math.max(...FIELDS.map((field) => fieldSyntax(field).length));
    for (const field of FIELDS) {
      if (values.json) console.json(fieldView(field));
      else console.result(fieldLine(field, width));
    }
    return Promise.resolve(0);
  },
});

function fieldView(field: Field): object {
  const { name, type, argument, shape, description } = field;
  return { name, type, argument, shape, description, unanswered: field.reason };
}

function fieldLine(field: Field, width: number): string {
  const reason = field.reason === null ? '' : ` Not answered yet: ${field.reason}.`;
  return `${fieldSyntax(field).padEnd(width)}  ${field.type.padEnd(7)}  ${field.description}${reason}\n`;
}
