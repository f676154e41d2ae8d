import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SENSORS } from '../../src/kernel/plan.ts';
import { ACTION_LIST, type Argument } from '../../src/model/actions.ts';
import { SYSCALLS, type SyscallName } from '../../src/model/syscalls.ts';
import { generatedNote, markdownTable } from './markdown.ts';

/** What each kind of event tells, for people; its fields are those of the interface in src/output/views.ts. */
const KINDS: Readonly<Record<string, { readonly sees: string; readonly sensor: string }>> = {
  exec: { sees: 'a program is started', sensor: 'process' },
  fork: { sees: 'a process is made', sensor: 'process' },
  exit: { sees: 'a process ends', sensor: 'process' },
  accept: { sees: 'a connection is accepted, or made to ask another service', sensor: 'network' },
  connect: { sees: 'a connection is tried', sensor: 'network' },
  datagram: {
    sees: 'the first datagram passes between a socket and a remote that it is not connected to; questions of DNS are told as connections',
    sensor: 'payload',
  },
  tcp: { sees: 'a TCP connection of anybody is over, with what the kernel has counted', sensor: 'tcp' },
  close: { sees: 'a connection ends', sensor: 'network' },
  work: { sees: 'an event loop hands work over, or gets it back', sensor: 'runtime' },
  payload: { sees: 'bytes pass through a connection', sensor: 'payload' },
  open: { sees: 'a file is opened, or that is tried', sensor: 'file' },
};

const FIELD = /^ {2}readonly (\w+)(\?)?: (.+?)(;|\{|$)/;

interface Field {
  readonly name: string;
  readonly type: string;
  readonly meaning: string;
}

/** docs/reference/events.md */
export function generateEventReference(root: string): string {
  const views = readFileSync(join(root, 'src/output/views.ts'), 'utf8');
  return (
    [
      generatedNote('src/output/views.ts, src/model/actions.ts and src/kernel/plan.ts'),
      introduction(),
      `## Of every event\n\n${fieldTable(fieldsOf(views, 'interface EventViewBase'))}`,
      ...Object.entries(KINDS).map(([kind, { sees, sensor }]) => {
        const fields = fieldsOf(views, `interface ${kind[0]?.toUpperCase()}${kind.slice(1)}EventView `);
        const details = kind === 'exec' ? `\n\n${detailsOfExec(views)}` : '';
        return `## ${kind}\n\n${sentence(sees)} Filled by the sensor ${sensor}${planText(sensor)}.\n\n${fieldTable(fields)}${details}`;
      }),
      actionSection(
        fieldsOf(readFileSync(join(root, 'src/output/action-view.ts'), 'utf8'), 'interface ActionFields '),
      ),
    ].join('\n\n') + '\n'
  );
}

function detailsOfExec(views: string): string {
  return [
    '### `details` of an exec',
    fieldTable(fieldsOf(views, 'interface ExecDetailsView ')),
    '### `file` of the details',
    fieldTable(fieldsOf(views, 'interface ExecFileView ')),
  ].join('\n\n');
}

function introduction(): string {
  return [
    '# Events',
    '',
    'What the kernel side tells, one JSON object for each with `throughline events --json`. Nothing is concluded yet: effects,',
    'requests and findings are made of these. `throughline doctor` says which sensors run on this kernel, and by which plan.',
  ].join('\n');
}

/** In which plans a sensor fills its events, and what is weaker there. */
function planText(name: string): string {
  const sensor = SENSORS.find((one) => one.name === name);
  if (sensor === undefined) return '';
  const plans = Map.groupBy(sensor.alternatives, ({ weaker }) => weaker);
  const texts = [...plans].map(([weaker, same]) => {
    const names = same.map(({ name }) => name).join(' or ');
    return weaker === '' ? names : `${names} (${weaker})`;
  });
  return `: ${texts.join('; ')}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The fields of an interface with the comments above them; members of members are left out. */
function fieldsOf(source: string, declaration: string): Field[] {
  const start = source.indexOf(declaration);
  if (start < 0) throw new Error(`no ${declaration} in the views`);
  const fields: Field[] = [];
  let comment = '';
  for (const line of source
    .slice(source.indexOf('\n', start) + 1, source.indexOf('\n}', start))
    .split('\n')) {
    const said = /^ {2}\/\*\* (.*) \*\/$/.exec(line)?.[1];
    const [, name, isOptional, type = ''] = FIELD.exec(line) ?? [];
    if (said !== undefined) comment = said;
    if (name === undefined || name === 'kind') continue;
    fields.push({
      name,
      type: type === '' || type === '{' ? 'object' : type,
      meaning: isOptional === undefined ? comment : `${comment} (optional)`,
    });
    comment = '';
  }
  return fields;
}

function fieldTable(fields: readonly Field[]): string {
  return markdownTable(
    ['field', 'type', 'meaning'],
    fields.map(({ name, type, meaning }) => [
      `\`${name}\``,
      `\`${type.replaceAll('readonly ', '')}\``,
      meaning,
    ]),
  );
}

function actionSection(fields: readonly Field[]): string {
  const categories = Map.groupBy(ACTION_LIST, ({ category }) => category);
  return [
    '## action',
    '',
    `A system call of the catalogue below. Filled by the sensor action${planText('action')}. With \`throughline events\` everybody's are told;`,
    'otherwise those that are effects, of the processes that the scope names.',
    '',
    fieldTable(fields),
    ...[...categories].flatMap(([category, actions]) => [
      '',
      `### ${category}`,
      '',
      markdownTable(
        ['action', 'when', 'arguments by system call', 'scope'],
        actions.map(({ name, sees, calls, scope, isOnDemand, effects }) => [
          `\`${name}\``,
          sees,
          Object.entries(calls)
            .map(([syscall, passed]) => callText(syscall as SyscallName, passed))
            .join('; '),
          isOnDemand === true
            ? 'on demand'
            : effects === undefined
              ? scope
              : `${scope}: ${effects.sees}; others on demand`,
        ]),
      ),
    ]),
  ].join('\n');
}

function callText(syscall: SyscallName, passed: readonly Argument[]): string {
  const names = passed.map(({ name }) => name).filter((name) => name !== null);
  const where = SYSCALLS[syscall].arm64 === null ? ' (x86-64)' : '';
  return `\`${syscall}\`${where}${names.length === 0 ? '' : `: ${names.join(', ')}`}`;
}
