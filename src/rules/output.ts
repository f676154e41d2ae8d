import { printable } from '../base/printable.ts';
import { textFromByteString } from '../base/bytes.ts';
import { bindTerm, valuesOf, valueText, type Bound, type Warn } from './compile/bind.ts';
import type { RuleEvent } from './event.ts';
import { findField, nearestField } from './fields/registry.ts';
import { problemIn, RuleError } from './problem.ts';
import { Scanner } from './scanner.ts';
import type { KeptValues, SequenceMatch } from './sequences/plan.ts';
import type { Term } from './syntax.ts';
import { isTransformerAhead, parseTransform } from './terms.ts';
import type { RuleText } from './text.ts';

/** What a field without a value prints. */
const NO_VALUE = '<NA>';
/** Characters of a value that are printed. */
const MAX_VALUE = 4096;

/** Texts of the event's time: among the values of an output they are numbers, as the reference engine has it. */
const TIMES: ReadonlySet<string> = new Set([
  'evt.time',
  'evt.time.s',
  'evt.time.iso8601',
  'evt.datetime',
  'evt.datetime.s',
]);

/** Nanoseconds since the Unix epoch; as exact as a number is, which is a quarter of a microsecond. */
export function epochNs({ wallMs }: RuleEvent): number {
  return wallMs * 1e6;
}

export type OutputValue = string | number | boolean | null | readonly (string | number | boolean)[];

type Part = string | OutputField;

interface OutputField {
  /** As it stands in the template, without % and width. */
  readonly name: string;
  readonly bound: Bound;
  /** Where the value of an earlier event stands in a match; null: it is the event's own. */
  readonly kept: KeptPlace | null;
  /** The fields that a transformer is applied to: their values are told as well. */
  readonly inside: readonly Bound[];
  /** The value takes so many characters, cut or filled up with blanks; null: as many as it has. */
  readonly width: number | null;
}

interface KeptPlace {
  readonly step: number;
  readonly at: number;
}

/**
 * The text of an alert, with fields in it: %proc.name, %20proc.name, %proc.aname[2], %tolower(proc.name); of an earlier step of a
 * sequence with its name in front: %download.proc.name.
 */
export class OutputTemplate {
  readonly text: string;
  readonly #parts: readonly Part[];
  readonly #fields: ReadonlyMap<string, Pick<OutputField, 'bound' | 'kept'>>;
  /** What is asked of each step of a sequence. */
  readonly kept: readonly (readonly Bound[])[];

  constructor(text: string, parts: readonly Part[], kept: readonly (readonly Bound[])[]) {
    this.text = text;
    this.kept = kept;
    this.#parts = parts;
    const fields = new Map<string, Pick<OutputField, 'bound' | 'kept'>>();
    for (const part of parts) {
      if (typeof part === 'string') continue;
      for (const bound of part.inside) fields.set(bound.key, { bound, kept: null });
      fields.set(part.name, part);
    }
    this.#fields = fields;
  }

  /** The fields that it asks for, with their arguments. */
  get fields(): readonly string[] {
    return [...this.#fields.values()].map(({ bound }) => bound.key);
  }

  /** The text for an event: on one line, and safe to print. */
  format(event: RuleEvent, match: SequenceMatch | null = null): string {
    return this.#parts
      .map((part) => (typeof part === 'string' ? part : formatField(part, valuesIn(part, event, match))))
      .join('');
  }

  /** The values of its fields for an event, by name: text is text, not safe to print. */
  values(event: RuleEvent, match: SequenceMatch | null = null): Record<string, OutputValue> {
    const values: Record<string, OutputValue> = {};
    for (const [name, field] of this.#fields)
      values[name] =
        field.kept === null && TIMES.has(name)
          ? epochNs(event)
          : outputValue(field.bound, valuesIn(field, event, match));
    return values;
  }
}

function valuesIn(
  { bound, kept }: Pick<OutputField, 'bound' | 'kept'>,
  event: RuleEvent,
  match: SequenceMatch | null,
): KeptValues {
  return kept === null ? valuesOf(bound.access, event) : (match?.steps[kept.step]?.values[kept.at] ?? null);
}

function formatField({ bound, width }: OutputField, values: KeptValues): string {
  const texts = values?.map((value) => printable(valueText(value), MAX_VALUE));
  const text =
    texts === undefined
      ? NO_VALUE
      : bound.access.shape === 'single'
        ? (texts[0] ?? NO_VALUE)
        : `(${texts.join(',')})`;
  return width === null ? text : text.slice(0, width).padEnd(width);
}

/** As JSON has it: text is text, not safe to print. */
export function outputValue({ access }: Pick<Bound, 'access'>, told: KeptValues): OutputValue {
  const values = told?.map((value) => {
    if (typeof value === 'string') return textFromByteString(value);
    return value === Infinity ? NO_VALUE : value;
  });
  if (values === undefined) return null;
  return access.shape === 'single' ? (values[0] ?? null) : values;
}

/**
 * @param steps names of the steps of a sequence; the last one is the event itself
 * @throws RuleError for a field that is unknown or cannot be printed
 */
export function parseOutput(
  text: RuleText,
  warn: Warn,
  steps: readonly (string | null)[] = [],
): OutputTemplate {
  const parts: Part[] = [];
  const kept: Bound[][] = steps.map(() => []);
  const source = text.text;
  let done = 0;
  for (let at = source.indexOf('%'); at !== -1; at = source.indexOf('%', at)) {
    const width = /\d*/y;
    width.lastIndex = at + 1;
    const digits = width.exec(source)?.[0] ?? '';
    const start = at + 1 + digits.length;
    const step = stepAt(source, start, steps);
    const found = termAt(text, start + (step === -1 ? 0 : (steps[step]?.length ?? 0) + 1));
    if (found === null) {
      // "%%" is a percent sign, and so is one in front of no field.
      const isDouble = source[at + 1] === '%';
      if (isDouble) {
        parts.push(source.slice(done, at + 1));
        done = at + 2;
      }
      at += isDouble ? 2 : 1;
      continue;
    }
    const { term, end } = found;
    const bound = bindTerm(term, warn);
    if (bound.isFilterOnly)
      throw new RuleError(problemIn('output', `${bound.key} has no one value to print`, term.span));
    const fieldWidth = digits === '' ? null : Math.min(Number(digits), MAX_VALUE);
    const inside = step === -1 ? fieldsInside(term).map((one) => bindTerm(one, warn)) : [];
    const isEarlier = step !== -1 && step < steps.length - 1;
    const place = isEarlier ? { step, at: (kept[step]?.push(bound) ?? 0) - 1 } : null;
    const name = source.slice(start, end);
    parts.push(source.slice(done, at), { name, bound, kept: place, inside, width: fieldWidth });
    done = at = end;
  }
  parts.push(source.slice(done));
  return new OutputTemplate(
    source,
    parts.filter((part) => part !== ''),
    kept,
  );
}

/** The step whose name stands at a place, in front of that of a field; -1 for none. */
function stepAt(source: string, start: number, steps: readonly (string | null)[]): number {
  return steps.findIndex((name) => name !== null && source.startsWith(`${name}.`, start));
}

function fieldsInside(term: Term): readonly Term[] {
  if (term.kind === 'field') return [];
  return term.arguments.flatMap((argument) => {
    if (argument.kind === 'literal') return [];
    return argument.kind === 'field' ? [argument] : fieldsInside(argument);
  });
}

/** The field or transformer at a place of the text; null where there is none. */
function termAt(text: RuleText, start: number): { term: Term; end: number } | null {
  const scanner = new Scanner(text, start);
  if (isTransformerAhead(scanner)) {
    const transform = parseTransform(scanner);
    return { term: transform, end: scanner.at };
  }
  const written = scanner.fieldName();
  if (written === null) return null;
  // What ends a sentence may look like a part of the name: the longest name that is one counts.
  let name = written;
  while (findField(name) === null && name.includes('.')) name = name.slice(0, name.lastIndexOf('.'));
  if (findField(name) === null) {
    const message = `unknown field '${written}'`;
    const span = scanner.span(start, start + written.length);
    throw new RuleError(problemIn('unknown-field', message, span, nearestField(written)));
  }
  const nameEnd = start + name.length;
  const rest = new Scanner(text, nameEnd);
  const argument = text.text[nameEnd] === '[' && rest.take('[') ? rest.fieldArgument() : null;
  if (argument !== null && !rest.take(']')) {
    const span = rest.span(start);
    throw new RuleError(problemIn('syntax', `expected ']' after the argument of ${name}`, span));
  }
  const end = argument === null ? nameEnd : rest.at;
  return { term: { kind: 'field', name, argument, span: scanner.span(start, end) }, end };
}
