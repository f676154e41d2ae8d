/** Builds messages of DNS for tests. */

export interface RecordFields {
  readonly name?: Uint8Array;
  readonly type: number;
  readonly class?: number;
  readonly data: Uint8Array;
}

export interface MessageFields {
  readonly id?: number;
  readonly flags?: number;
  readonly questions?: readonly (readonly [name: Uint8Array, type: number, questionClass?: number])[];
  readonly answers?: readonly RecordFields[];
  readonly authorities?: readonly RecordFields[];
  readonly additionals?: readonly RecordFields[];
}

export const QUERY = 0x0100;
export const REPLY = 0x8180;
/** A pointer to the name of the first question. */
export const FIRST_NAME = Uint8Array.of(0xc0, 12);

export function name(text: string): Uint8Array {
  const labels = text === '' ? [] : text.split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);
}

export function uint16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

export function message(fields: MessageFields): Uint8Array {
  const { id = 7, flags = QUERY, questions = [], answers = [], authorities = [], additionals = [] } = fields;
  return Buffer.concat([
    uint16(id, flags, questions.length, answers.length, authorities.length, additionals.length),
    ...questions.map(([text, type, questionClass = 1]) => Buffer.concat([text, uint16(type, questionClass)])),
    ...[...answers, ...authorities, ...additionals].map(record),
  ]);
}

/** With its length before it, as TCP has it. */
export function frame(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function record(fields: RecordFields): Uint8Array {
  const { name: owner = FIRST_NAME, type, class: recordClass = 1, data } = fields;
  return Buffer.concat([owner, uint16(type, recordClass, 0, 60, data.length), data]);
}
