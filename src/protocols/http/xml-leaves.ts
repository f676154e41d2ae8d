import type { ByteString } from '../../base/bytes.ts';
import type { InputList } from './input-list.ts';

/**
 * Collects texts and attribute values of XML (SOAP, XML-RPC), named by element or attribute. A linear scan that takes
 * whatever comes; entities are decoded with the forms of each input.
 */
export function collectXml(text: ByteString, list: InputList): void {
  let element = '';
  let index = text.indexOf('<');
  while (index !== -1 && !list.isFull) {
    if (text.startsWith('<![CDATA[', index)) {
      const end = offsetOf(text, ']]>', index);
      list.add('body', element, text.slice(index + 9, end));
      index = text.indexOf('<', end);
      continue;
    }
    if (text.startsWith('<!--', index)) {
      index = text.indexOf('<', offsetOf(text, '-->', index));
      continue;
    }
    const end = offsetOf(text, '>', index);
    const tag = text.slice(index + 1, end);
    if (!tag.startsWith('/')) element = wordOf(tag);
    collectQuoted(tag, list);
    const next = text.indexOf('<', end);
    list.add('body', element, text.slice(end + 1, next === -1 ? text.length : next).trim());
    index = next;
  }
}

/** Quoted strings of a tag: values of attributes, and the system identifiers of a document type. */
function collectQuoted(tag: ByteString, list: InputList): void {
  let start = 0;
  while (start < tag.length) {
    const double = tag.indexOf('"', start);
    const single = tag.indexOf("'", start);
    const open = double === -1 ? single : single === -1 ? double : Math.min(double, single);
    if (open === -1) return;
    const end = offsetOf(tag, tag[open] as string, open + 1);
    const before = tag.slice(start, open);
    const equals = before.lastIndexOf('=');
    const name = equals === -1 ? '' : before.slice(0, equals).trim();
    list.add('body', name.slice(name.lastIndexOf(' ') + 1), tag.slice(open + 1, end));
    start = end + 1;
  }
}

function wordOf(tag: ByteString): ByteString {
  let end = 0;
  while (end < tag.length && tag.charCodeAt(end) > 0x20 && tag.charCodeAt(end) !== 0x2f) end++;
  return tag.slice(0, end);
}

function offsetOf(text: ByteString, wanted: string, from: number): number {
  const found = text.indexOf(wanted, from);
  return found === -1 ? text.length : found;
}
