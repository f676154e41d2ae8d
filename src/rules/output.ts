import { printable } from '../base/printable.ts';
import { textFromByteString } from '../base/bytes.ts';
import { bindTerm, valuesOf, valueText, type Bound, type Warn } from './compile/bind.ts';
import type { RuleEvent } from './event.ts';
import { findField, nearestField } from './fields/registry.ts';
import { problemIn, RuleError } from './problem.ts';
import { Scanner } from './scanner.ts';
import type { Term } from './syntax.ts';
import { isTransformerAhead, parseTransform } from './terms.ts';
import type { RuleText } from './text.ts';

/** What a field without a value prints. */
const NO_VALUE = '<NA>';
/** Characters of a value that are printed. */
const MAX_VALUE = 4096;

export type OutputValue = string | number | boolean | null | readonly (string | number | boolean)[];

type Part = string | OutputField;

interface OutputField {
  /** As it stands in the template, without % and width. */
  readonly name: string;
  readonly bound: Bound;
  /** The fields that a transformer is applied to: their values are told as well. */
  readonly inside: readonly Bound[];
  /** The value takes so many characters, cut or filled up with blanks; null: as many as it has. */
  readonly width: number | null;
}

/** The text of an alert, with fields in it: %proc.name, %20proc.name, %proc.aname[2], %tolower(proc.name). */
export class OutputTemplate {
  readonly text: string;
  readonly #parts: readonly Part[];
  readonly #fields: ReadonlyMap<string, Bound>;

  constructor(text: string, parts: readonly Part[]) {
    this.text = text;
    this.#parts = parts;
    const fields = new Map<string, Bound>();
    for (const part of parts) {
      if (typeof part === 'string') continue;
      for (const bound of part.inside) fields.set(bound.key, bound);
      fields.set(part.name, part.bound);
    }
    this.#fields = fields;
  }

  /** The fields that it asks for, with their arguments. */
  get fields(): readonly string[] {
    return [...this.#fields.values()].map(({ key }) => key);
  }

  /** The text for an event: on one line, and safe to print. */
  format(event: RuleEvent): string {
    return this.#parts.map((part) => (typeof part === 'string' ? part : formatField(part, event))).join('');
  }

  /** The values of its fields for an event, by name: text is text, not safe to print. */
  values(event: RuleEvent): Record<string, OutputValue> {
    const values: Record<string, OutputValue> = {};
    for (const [name, bound] of this.#fields) values[name] = outputValue(bound, event);
    return values;
  }
}

function formatField({ bound, width }: OutputField, event: RuleEvent): string {
  const values = valuesOf(bound.access, event);
  const texts = values?.map((value) => printable(valueText(value), MAX_VALUE));
  const text =
    texts === undefined
      ? NO_VALUE
      : bound.access.shape === 'single'
        ? (texts[0] ?? NO_VALUE)
        : `(${texts.join(',')})`;
  return width === null ? text : text.slice(0, width).padEnd(width);
}

function outputValue({ access }: Bound, event: RuleEvent): OutputValue {
  const values = valuesOf(access, event)?.map((value) => {
    if (typeof value === 'string') return textFromByteString(value);
    return value === Infinity ? NO_VALUE : value;
  });
  if (values === undefined) return null;
  return access.shape === 'single' ? (values[0] ?? null) : values;
}

/** @throws RuleError for a field that is unknown or cannot be printed */
export function parseOutput(text: RuleText, warn: Warn): OutputTemplate {
  const parts: Part[] = [];
  const source = text.text;
  let done = 0;
  for (let at = source.indexOf('%'); at !== -1; at = source.indexOf('%', at)) {
    const width = /\d*/y;
    width.lastIndex = at + 1;
    const digits = width.exec(source)?.[0] ?? '';
    const start = at + 1 + digits.length;
    const found = termAt(text, start);
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
    const inside = fieldsInside(term).map((one) => bindTerm(one, warn));
    parts.push(source.slice(done, at), { name: source.slice(start, end), bound, inside, width: fieldWidth });
    done = at = end;
  }
  parts.push(source.slice(done));
  return new OutputTemplate(
    source,
    parts.filter((part) => part !== ''),
  );
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
