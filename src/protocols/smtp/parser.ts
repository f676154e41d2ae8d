import { byteString, type ByteString } from '../../base/bytes.ts';
import type { Confidence } from '../contract.ts';

/** Verbs of RFC 5321, of its extensions (AUTH, STARTTLS, BDAT, ETRN, XCLIENT) and of LMTP (RFC 2033). */
const VERBS = new Set(
  (
    'HELO EHLO LHLO MAIL RCPT DATA BDAT RSET VRFY EXPN HELP NOOP QUIT AUTH STARTTLS ETRN TURN ATRN XCLIENT XFORWARD ' +
    'SEND SOML SAML BURL'
  ).split(' '),
);
const GREETINGS = new Set(['EHLO', 'HELO', 'LHLO']);
const MAX_VERB_BYTES = 32;

export interface CommandLine {
  readonly verb: ByteString;
  /** What follows the verb and blanks. */
  readonly rest: ByteString;
  readonly isKnown: boolean;
}

export interface ReplyLine {
  readonly code: number;
  readonly text: ByteString;
  /** No further line of the same reply follows. */
  readonly isLast: boolean;
}

export function parseCommand(line: ByteString): CommandLine {
  const blank = line.indexOf(' ');
  const end = blank < 0 ? line.length : blank;
  const verb = line.slice(0, Math.min(end, MAX_VERB_BYTES)).toUpperCase();
  return { verb, rest: line.slice(end + 1).trim(), isKnown: VERBS.has(verb) };
}

/** RFC 5321 section 4.2: three digits, then a hyphen on all lines but the last. */
export function parseReply(line: ByteString): ReplyLine | null {
  const code = Number(line.slice(0, 3));
  const separator = line[3];
  if (!Number.isInteger(code) || code < 200 || code > 599 || line.length < 3) return null;
  if (separator !== undefined && separator !== ' ' && separator !== '-') return null;
  return { code, text: line.slice(4), isLast: separator !== '-' };
}

/** The address between angle brackets, else the word after the colon: 'FROM:<a@b> SIZE=1' says a@b. */
export function addressOf(rest: ByteString): ByteString {
  const open = rest.indexOf('<');
  const close = open < 0 ? -1 : rest.indexOf('>', open);
  if (close >= 0) return rest.slice(open + 1, close);
  const text = rest.slice(rest.indexOf(':') + 1).trimStart();
  const blank = text.indexOf(' ');
  return blank < 0 ? text : text.slice(0, blank);
}

/** Control bytes stand in no command. */
export function isText(line: ByteString): boolean {
  for (let index = 0; index < line.length; index++) {
    const code = line.charCodeAt(index);
    if ((code < 32 && code !== 9 && code !== 13) || code === 127) return false;
  }
  return true;
}

/** Whether a server's first bytes are the greeting of a mail server: 'likely' where it says so. */
export function greetingPlausibility(bytes: Uint8Array): Confidence {
  const text = byteString(bytes, 0, Math.min(bytes.length, 512));
  if (text.length < 4)
    return '220 '.startsWith(text) || '554 '.startsWith(text) || '220-'.startsWith(text) ? 'maybe' : 'no';
  if (!text.startsWith('220 ') && !text.startsWith('220-') && !text.startsWith('554 ')) return 'no';
  const lineEnd = text.indexOf('\n');
  const line = text.slice(0, lineEnd < 0 ? text.length : lineEnd);
  if (!isText(line)) return 'no';
  // FTP's greeting has the same number.
  if (lineEnd < 0) return 'maybe';
  const upper = line.toUpperCase();
  return upper.includes('SMTP') || upper.includes('LMTP') ? 'likely' : 'maybe';
}

/**
 * Whether a client's first line is a command of mail: 'certain' for the greeting that no other protocol has, 'likely'
 * for an envelope in the middle of a connection, 'maybe' for verbs that others have too.
 */
export function commandPlausibility(bytes: Uint8Array): Confidence {
  const text = byteString(bytes, 0, Math.min(bytes.length, 512));
  const lineEnd = text.indexOf('\n');
  const line = (lineEnd < 0 ? text : text.slice(0, lineEnd)).trimEnd();
  if (!isText(line)) return 'no';
  const { verb, rest, isKnown } = parseCommand(line);
  if (lineEnd < 0) {
    const mayGoOn = text.length < 512 && (isKnown || [...VERBS].some((known) => known.startsWith(verb)));
    return mayGoOn ? 'maybe' : 'no';
  }
  if (GREETINGS.has(verb)) return rest === '' || rest.includes(' HTTP/') ? 'no' : 'certain';
  const upper = rest.slice(0, 5).toUpperCase();
  if (verb === 'MAIL') return upper === 'FROM:' ? 'likely' : 'no';
  if (verb === 'RCPT') return upper.startsWith('TO:') ? 'likely' : 'no';
  return isKnown ? 'maybe' : 'no';
}
