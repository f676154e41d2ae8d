import type { ByteString } from '../../base/bytes.ts';
import type { RequestInput } from '../../model/request.ts';
import { percentDecode } from '../../base/percent.ts';
import { decodedForms } from './forms.ts';

export const MAX_INPUTS = 256;
export const MAX_VALUE_BYTES = 4 * 1024;
const MAX_NAME_BYTES = 256;

/** Collects inputs within their bounds. */
export class InputList {
  readonly inputs: RequestInput[] = [];
  /** Inputs of the parts so far: keeps room for the parts of a message that are collected later. */
  limit = MAX_INPUTS;
  /** There were more inputs than are listed. */
  hasDropped = false;

  get isFull(): boolean {
    return this.hasDropped && this.inputs.length >= this.limit;
  }

  /** Empty values are no needles and are left out; long ones are cut. */
  add(location: RequestInput['location'], name: ByteString, value: ByteString): void {
    if (value === '') return;
    if (this.inputs.length >= this.limit) {
      this.hasDropped = true;
      return;
    }
    this.inputs.push(new Input(location, name.slice(0, MAX_NAME_BYTES), value.slice(0, MAX_VALUE_BYTES)));
  }

  /** A parameter; its name is an input of its own where a program may take it for a value. */
  addNamed(
    location: RequestInput['location'],
    rawName: ByteString,
    name: ByteString,
    value: ByteString,
  ): void {
    if (!isPlainName(rawName)) this.add(location, '', rawName);
    this.add(location, name, value);
  }
}

/** Forms are computed at first use: most inputs are compared by their value alone or not at all. */
class Input implements RequestInput {
  readonly location: RequestInput['location'];
  readonly name: ByteString;
  readonly value: ByteString;
  #forms: readonly ByteString[] | null = null;

  constructor(location: RequestInput['location'], name: ByteString, value: ByteString) {
    this.location = location;
    this.name = name;
    this.value = value;
  }

  get forms(): readonly ByteString[] {
    return (this.#forms ??= decodedForms(this.value));
  }
}

/** Letters, digits and the punctuation of ordinary parameter names, such as user[name], a.b or x-y. */
function isPlainName(rawName: ByteString): boolean {
  const name = percentDecode(rawName);
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    const lower = code | 0x20;
    if ((lower >= 97 && lower <= 122) || (code >= 48 && code <= 57)) continue;
    // A dot counts only between other characters: names like .. or .env are paths.
    if (code === 0x2e && index > 0 && name.charCodeAt(index - 1) !== 0x2e) continue;
    if (code !== 0x5f && code !== 0x2d && code !== 0x5b && code !== 0x5d) return false;
  }
  return !name.startsWith('-');
}
