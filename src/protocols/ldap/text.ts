import type { ByteString } from '../../base/bytes.ts';
import type { BerCursor } from './ber.ts';

/** What is kept of a request's text, and of its values together. */
export const MAX_STATEMENT_BYTES = 16 * 1024;
const MAX_PARAMETERS = 1024;
/** Attributes whose values are passwords or made of them (RFC 4519, Active Directory, Samba, ppolicy). */
const SECRET_ATTRIBUTES = new Set([
  'userpassword',
  'unicodepwd',
  'sambantpassword',
  'sambalmpassword',
  'authpassword',
  'pwdhistory',
  'krbprincipalkey',
]);
const REDACTED = '<redacted>';

/** A request as text, bounded, and the values in it. */
export class RequestText {
  text: ByteString = '';
  readonly parameters: ByteString[] = [];
  /** Something was left out for its length, or was not captured. */
  isCut = false;

  #parameterBytes = 0;

  write(text: ByteString): void {
    const room = MAX_STATEMENT_BYTES - this.text.length;
    if (text.length > room) this.isCut = true;
    if (room > 0) this.text += text.length <= room ? text : text.slice(0, room);
  }

  /** The value under the cursor, if the attribute is none that is secret. @returns what may be written */
  value(attribute: ByteString, cursor: BerCursor): ByteString {
    // Options may follow the name: userPassword;lang-en.
    const [name = ''] = attribute.split(';', 1);
    if (SECRET_ATTRIBUTES.has(name.toLowerCase())) return REDACTED;
    const value = cursor.text(MAX_STATEMENT_BYTES);
    this.parameter(value);
    return value;
  }

  parameter(value: ByteString): void {
    this.#parameterBytes += value.length;
    if (this.parameters.length < MAX_PARAMETERS && this.#parameterBytes <= MAX_STATEMENT_BYTES)
      this.parameters.push(value);
    else this.isCut = true;
  }
}
