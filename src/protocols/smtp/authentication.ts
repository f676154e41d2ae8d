import type { ByteString } from '../../base/bytes.ts';

/**
 * One AUTH exchange (RFC 4954). Of what the client sends, only the name of the user is looked at; nothing else of it is
 * kept.
 */
export class Authentication {
  /** '' while it is not known. */
  user: ByteString = '';
  /** The server waits for a response: the client's next line is one, whatever it looks like. */
  isChallenged = false;

  readonly #mechanism: ByteString;
  #responses = 0;

  /** @param words of the command after AUTH: mechanism and, perhaps, the first response */
  constructor(words: readonly ByteString[]) {
    this.#mechanism = (words[0] ?? '').toUpperCase();
    const [, initial = ''] = words;
    if (initial !== '') this.response(initial);
  }

  response(line: ByteString): void {
    this.isChallenged = false;
    const isFirst = this.#responses++ === 0;
    if (!isFirst || line === '*') return;
    const text = Buffer.from(line, 'base64').toString('latin1');
    if (this.#mechanism === 'LOGIN') this.user = text;
    // RFC 4616: who to be, who it is, the password.
    else if (this.#mechanism === 'PLAIN') this.user = text.split('\0', 3)[1] ?? '';
    else if (this.#mechanism.startsWith('SCRAM-')) this.user = scramUser(text);
  }
}

/** RFC 5802: 'n,,n=user,r=nonce'. */
function scramUser(text: ByteString): ByteString {
  const field = text.split(',', 4)[2] ?? '';
  return field.startsWith('n=') ? field.slice(2).replaceAll('=2C', ',').replaceAll('=3D', '=') : '';
}
