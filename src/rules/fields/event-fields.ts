import type { ByteString } from '../../base/bytes.ts';
import type { RuleEvent } from '../event.ts';
import { categoryOf, EVENT_TYPES, eventTypeOf, isSystemCall } from '../event-types.ts';
import { field, ofOpenMode, ofType, single, unanswered } from './define.ts';
import { errorName } from './errno.ts';
import { untoldArgument, untoldNumber } from './event-arguments.ts';
import type { Field } from './field.ts';

/** asm-generic/fcntl.h */
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;

export const EVENT_FIELDS: readonly Field[] = [
  single('evt.num', 'number', 'Number of the event, from 1.', ({ number }) => number),
  ofType('evt.type', 'string', 'Type of the event.', typeName),
  ofType('syscall.type', 'string', 'Name of the system call, for events that are one.', (type) =>
    isSystemCall(type) ? typeName(type) : null,
  ),
  field(
    'evt.type.is',
    'number',
    'required name',
    'Whether the event is of a type (1 or 0), such as evt.type.is.openat.',
    'single',
    (argument) => {
      const wanted = eventTypeOf(argument ?? '');
      const is = (type: number) => (type === wanted ? 1 : 0);
      return {
        shape: 'single',
        type: 'number',
        get: (event) => is(event.type),
        ofVariant: (variant) => is(variant.type),
      };
    },
  ),
  ofType('evt.category', 'string', 'What the event is about: process, file, net, ...', categoryOf),
  ofType('evt.dir', 'string', 'Always <: events are told when their call has ended.', () => '<'),
  ofType('evt.source', 'string', 'Always syscall.', () => 'syscall'),
  ofType(
    'evt.is_async',
    'boolean',
    'Always false: every event is what a call or a request did.',
    () => false,
  ),
  single('evt.hostname', 'string', 'Name of this host.', ({ hostname }) => hostname),
  single('evt.cpu', 'number', 'Number of the CPU.', ({ cpu }) => cpu),
  single('evt.args', 'string', 'All arguments of the event.', argumentsOf),
  single('evt.info', 'string', 'The same as evt.args.', argumentsOf),
  {
    ...field(
      'evt.arg',
      'string',
      'required name',
      'An argument of the event by name or number, such as evt.arg.flags or evt.arg[0].',
      'single',
      (argument) => {
        const name = argument ?? '';
        const get = /^\d+$/.test(name)
          ? (event: RuleEvent) => event.argument(event.argumentNames[Number(name)] ?? '')
          : (event: RuleEvent) => event.argument(name);
        return { shape: 'single', type: 'string', get };
      },
    ),
    reasonFor: untoldArgument,
  },
  single(
    'evt.res',
    'string',
    'SUCCESS, or the name of the error that the call returned, such as ENOENT.',
    ({ result }) => (result === null ? null : result < 0 ? errorName(-result) : 'SUCCESS'),
  ),
  single(
    'evt.rawres',
    'number',
    'What the call returned; negative for errors. Of a call that opens or accepts it is the number of the descriptor.',
    ({ result }) => result,
  ),
  single('evt.failed', 'boolean', 'Whether the call returned an error.', ({ result }) =>
    result === null ? null : result < 0,
  ),
  ofOpenMode('evt.is_open_read', 'Whether something is opened to be read.', (mode) =>
    opensTo(mode, O_RDONLY),
  ),
  ofOpenMode('evt.is_open_write', 'Whether something is opened to be written to.', (mode) =>
    opensTo(mode, O_WRONLY),
  ),
  ...unanswered('the mode of a new file, and whether it is new, are not captured', {
    'evt.is_open_create': ['boolean', 'Whether a file is made.'],
    'evt.is_open_exec': ['boolean', 'Whether a file is made that may be executed.'],
  }),
  {
    ...field(
      'evt.rawarg',
      'number',
      'required name',
      'An argument of a system call as a number, such as evt.rawarg.flags.',
      'single',
      (argument) => {
        const name = argument ?? '';
        return { shape: 'single', type: 'number', get: (event) => event.rawArgument(name) };
      },
    ),
    reasonFor: untoldNumber,
  },
  single('evt.abspath', 'string', 'Absolute path that the call is about.', ({ path }) => path),
  single(
    'evt.abspath.src',
    'string',
    'Absolute path that the call takes from.',
    ({ sourcePath }) => sourcePath,
  ),
  single('evt.abspath.dst', 'string', 'Absolute path that the call makes.', ({ targetPath }) => targetPath),
  single('evt.count', 'number', 'Always 1.', () => 1),
  single('evt.count.exit', 'number', 'Always 1.', () => 1),
  single('evt.count.error', 'number', '1 for events that returned an error.', ({ result }) =>
    result !== null && result < 0 ? 1 : 0,
  ),
  errorCount('evt.count.error.file', 'file'),
  errorCount('evt.count.error.net', 'net'),
  errorCount('evt.count.error.memory', 'memory'),
  single(
    'evt.count.error.other',
    'number',
    '1 for all other events that returned an error.',
    ({ type, result }) =>
      result !== null && result < 0 && !COUNTED_CATEGORIES.has(categoryOf(type) ?? '') ? 1 : 0,
  ),

  single(
    'evt.time',
    'string',
    'Time of day (UTC) with nanoseconds.',
    (event) => `${clock(event)}.${nanos(event)}`,
  ),
  single('evt.time.s', 'string', 'Time of day (UTC).', clock),
  single(
    'evt.time.iso8601',
    'string',
    'Date and time (UTC), as ISO 8601 writes it.',
    (event) => `${date(event)}T${clock(event)}.${nanos(event)}+0000`,
  ),
  single(
    'evt.datetime',
    'string',
    'Date and time (UTC) with nanoseconds.',
    (event) => `${date(event)} ${clock(event)}.${nanos(event)}`,
  ),
  single('evt.datetime.s', 'string', 'Date and time (UTC).', (event) => `${date(event)} ${clock(event)}`),
  single('evt.rawtime', 'number', 'Nanoseconds since the epoch.', ({ wallMs }) => wallMs * 1e6),
  single('evt.rawtime.s', 'number', 'Seconds since the epoch.', ({ wallMs }) => Math.floor(wallMs / 1000)),
  single('evt.rawtime.ns', 'number', 'Nanoseconds of that second.', nanosOf),

  single(
    'evt.deltatime',
    'number',
    'Nanoseconds since the event before, of those that rules see; 0 for the first.',
    sincePrevious,
  ),
  single('evt.deltatime.s', 'number', 'Whole seconds of that time.', (event) =>
    Math.floor(sincePrevious(event) / 1e9),
  ),
  single(
    'evt.deltatime.ns',
    'number',
    'Nanoseconds of its last second.',
    (event) => sincePrevious(event) % 1e9,
  ),

  single('fs.path.name', 'string', 'Absolute path of the file that the call is about.', ({ path }) => path),
  single('fs.path.nameraw', 'string', 'The same path as it was passed.', ({ pathRaw }) => pathRaw),
  single(
    'fs.path.source',
    'string',
    'Absolute path that the call takes from.',
    ({ sourcePath }) => sourcePath,
  ),
  single('fs.path.sourceraw', 'string', 'The same path as it was passed.', (event) => event.sourcePathRaw),
  single('fs.path.target', 'string', 'Absolute path that the call makes.', ({ targetPath }) => targetPath),
  single('fs.path.targetraw', 'string', 'The same path as it was passed.', (event) => event.targetPathRaw),
];

const COUNTED_CATEGORIES = new Set(['file', 'net', 'memory']);

function errorCount(name: string, category: string): Field {
  const description = `1 for events of the category ${category} that returned an error.`;
  return single(name, 'number', description, ({ type, result }) =>
    result !== null && result < 0 && categoryOf(type) === category ? 1 : 0,
  );
}

function typeName(type: number): string | null {
  return EVENT_TYPES[type] ?? null;
}

/** Present and false for events that open nothing, as the reference engine has it. */
function opensTo(mode: number | null, wanted: number): boolean {
  return mode === wanted || mode === O_RDWR;
}

function argumentsOf(event: RuleEvent): ByteString {
  let text = '';
  for (const name of event.argumentNames) {
    const value = event.argument(name);
    if (value !== null) text += `${text === '' ? '' : ' '}${name}=${value}`;
  }
  return text;
}

function date({ wallMs }: RuleEvent): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

function clock({ wallMs }: RuleEvent): string {
  return new Date(wallMs).toISOString().slice(11, 19);
}

/** Events of several processors come nearly in order: time never goes back here. */
function sincePrevious({ timeNs, previousNs }: RuleEvent): number {
  return previousNs === null ? 0 : Math.max(0, timeNs - previousNs);
}

function nanosOf({ wallMs }: RuleEvent): number {
  return Math.floor((wallMs - Math.floor(wallMs / 1000) * 1000) * 1e6);
}

function nanos(event: RuleEvent): string {
  return String(nanosOf(event)).padStart(9, '0');
}
