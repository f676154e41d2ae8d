import type { ByteString } from '../../base/bytes.ts';
import { MAX_HEADERS, trimBlanks } from '../http/headers.ts';
import { addFlag } from './framing.ts';
import { blankIndex, isTokenByte, parseRequestLine } from './parser.ts';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

/**
 * What is odd about a head apart from its framing. Not on the hot path: asked for when someone looks.
 * @param isCut the head is not whole: its last line may end anywhere
 */
export function headAnomalies(head: ByteString, isCut: boolean): string[] {
  const found: string[] = [];
  if (head.includes('\0')) found.push('nul-in-head');
  noteLineEnds(head, found);
  const { target, version } = parseRequestLine(head);
  if (blankIndex(target) !== -1) found.push('space-in-target');
  for (let index = 0; index < target.length; index++) {
    if (target.charCodeAt(index) > 0x7e) {
      found.push('non-ascii-target');
      break;
    }
  }
  if (version === '') found.push(isCut && !head.includes('\n') ? 'cut-request-line' : 'no-version');
  else if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') found.push('odd-version');
  noteHeaderLines(head, version, isCut, found);
  return found;
}

function noteLineEnds(head: ByteString, found: string[]): void {
  for (let at = head.indexOf('\n'); at !== -1; at = head.indexOf('\n', at + 1)) {
    if (head.charCodeAt(at - 1) === CR) continue;
    found.push('bare-lf');
    break;
  }
  for (let at = head.indexOf('\r'); at !== -1; at = head.indexOf('\r', at + 1)) {
    if (at + 1 === head.length || head.charCodeAt(at + 1) === LF) continue;
    found.push('bare-cr');
    break;
  }
}

function noteHeaderLines(head: ByteString, version: ByteString, isCut: boolean, found: string[]): void {
  const lines = head.split('\n').slice(1);
  if (isCut) lines.pop();
  let fields = 0;
  let hosts = 0;
  for (const line of lines) {
    if (line === '' || line === '\r') break;
    fields++;
    const colon = line.indexOf(':');
    const first = line.charCodeAt(0);
    if (first === SPACE || first === TAB) addFlag(found, 'obs-fold');
    else if (colon === -1) addFlag(found, 'header-without-colon');
    else {
      const name = line.slice(0, colon);
      const trimmed = trimBlanks(name);
      if (trimmed.length < name.length) addFlag(found, 'space-before-colon');
      if (!isToken(trimmed)) addFlag(found, 'invalid-header-name');
      if (trimmed.toLowerCase() === 'host') hosts++;
    }
  }
  if (fields > MAX_HEADERS) found.push('too-many-headers');
  if (hosts > 1) found.push('repeated-host');
  if (hosts === 0 && version === 'HTTP/1.1' && !isCut) found.push('missing-host');
}

function isToken(text: ByteString): boolean {
  for (let index = 0; index < text.length; index++) if (!isTokenByte(text.charCodeAt(index))) return false;
  return text.length > 0;
}
