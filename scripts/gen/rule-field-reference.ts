import { answeredBy, EVENT_TYPES } from '../../src/rules/event-types.ts';
import type { Field } from '../../src/rules/fields/field.ts';
import { fieldSyntax } from '../../src/rules/fields/syntax.ts';
import { FIELDS } from '../../src/rules/fields/registry.ts';
import { generatedNote, markdownTable } from './markdown.ts';

/** docs/reference/rule-fields.md */
export function generateRuleFieldReference(): string {
  const classes = Map.groupBy(
    FIELDS.filter(({ reason }) => reason === null),
    ({ name }) => name.slice(0, name.indexOf('.')),
  );
  const reasons = Map.groupBy(
    FIELDS.filter(({ reason }) => reason !== null),
    ({ reason }) => reason,
  );
  const types = EVENT_TYPES.flatMap((name, type) => {
    const what = answeredBy(type);
    return what === null ? [] : [[`\`${name}\``, what]];
  });
  return (
    [
      generatedNote('src/rules/fields/*.ts'),
      '# Fields of rules',
      [
        'What conditions and outputs of rules may ask for: `proc.name = bash`, `%proc.aname[2]`. A field that an event does not',
        'have has no value: every check of it is false then, `!=` too, and outputs print `<NA>`.',
      ].join('\n'),
      [
        'Terminal, session, process group, capabilities and login of a process, and layer and times of its executable file, are',
        'those of when its program was started. A process that is older than the agent has no value of them until it starts',
        'another program.',
      ].join('\n'),
      '## Event types',
      [
        'Values of `evt.type` that events have today. Rules may name every system call; one that can only be true of events',
        'that are not told yet is a warning when it is loaded.',
      ].join('\n'),
      markdownTable(['type', 'told for'], types),
      ...[...classes]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .flatMap(([name, fields]) => [`## ${name}`, fieldTable(fields)]),
      '## Without an answer yet',
      'Rules that ask for these are loaded with a warning (an error with `--strict`), and the fields have no value.',
      ...[...reasons].flatMap(([reason, fields]) => [`Since ${reason}:`, fieldTable(fields)]),
    ].join('\n\n') + '\n'
  );
}

function fieldTable(fields: readonly Field[]): string {
  const rows = fields.map((field) => [`\`${fieldSyntax(field)}\``, typeOf(field), field.description]);
  return markdownTable(['field', 'type', ''], rows);
}

function typeOf({ type, shape, argument }: Field): string {
  if (shape === 'list') return `list of ${type}s`;
  if (shape === 'any') return `${type}, any${argument === 'index' ? ' without an index' : ''}`;
  return type;
}
