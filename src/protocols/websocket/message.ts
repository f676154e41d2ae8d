import { byteString, type ByteString } from '../../base/bytes.ts';
import { InputList, MAX_INPUTS } from '../http/input-list.ts';
import { collectText } from '../http/inputs.ts';
import { collectJson } from '../http/json-leaves.ts';
import { HttpMessage } from '../http/message.ts';
import { collectXml } from '../http/xml-leaves.ts';

/** Bytes of a message that are kept. */
export const MAX_MESSAGE_BYTES = 16 * 1024;
// A document that is stuffed with values cannot hide the message as a whole, which comes last.
const MAX_AFTER_DOCUMENT = MAX_INPUTS - 16;

/** One message from a client: its payload is the body. */
export class WebSocketMessage extends HttpMessage {
  readonly method: 'TEXT' | 'BINARY';
  readonly protocol = 'websocket';
  readonly head = '';
  readonly target = '';
  readonly headers = [];

  constructor(method: 'TEXT' | 'BINARY') {
    super(false);
    this.method = method;
  }

  protected override get maxBodyBytes(): number {
    return MAX_MESSAGE_BYTES;
  }

  protected override collectInputs(): InputList {
    const list = new InputList();
    const text = byteString(this.body);
    const document = text.slice(documentStart(text));
    list.limit = MAX_AFTER_DOCUMENT;
    if (document.startsWith('{') || document.startsWith('[')) collectJson(document, list);
    else if (document.startsWith('<')) collectXml(document, list);
    list.limit = MAX_INPUTS;
    collectText(text, list);
    return list;
  }
}

/** Past white space, and past the digits that Socket.IO writes before its JSON (`42["chat",{...}]`). */
function documentStart(text: ByteString): number {
  let at = 0;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  while (at < text.length && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++;
  return at;
}
