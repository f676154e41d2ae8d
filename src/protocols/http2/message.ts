import type { ByteString } from '../../base/bytes.ts';
import { DecodedMessage } from '../http/decoded-message.ts';
import type { InputList } from '../http/input-list.ts';
import { requestInputs } from '../http/inputs.ts';
import { collectGrpc, isGrpcType, isLikeGrpc } from './grpc.ts';
import { headAnomalies } from './head-anomalies.ts';
import type { Field, HeaderList } from './header-list.ts';

/** One request of HTTP/2, or one call of gRPC. */
export class Http2Request extends DecodedMessage {
  /** 'maybe': the Content-Type is among what is unknown. */
  readonly grpc: 'yes' | 'no' | 'maybe';
  readonly #list: HeaderList;
  #headFlags: readonly string[] | null = null;

  /** @param isAmongGrpc others on the same connection are calls of gRPC */
  constructor(list: HeaderList, isAmongGrpc: boolean) {
    const parts = partsOf(list.fields);
    const grpc = judgeGrpc(list, parts);
    super({
      protocol: grpc === 'yes' || (grpc === 'maybe' && isAmongGrpc) ? 'grpc' : 'http2',
      method: parts.method,
      target: parts.path === '' && parts.method === 'CONNECT' ? parts.authority : parts.path,
      headers: parts.headers,
      isTruncated: !list.isComplete,
    });
    this.#list = list;
    this.grpc = grpc;
  }

  override get anomalies(): readonly string[] {
    const found = (this.#headFlags ??= headAnomalies(this.#list));
    return super.anomalies.length === 0 ? found : [...super.anomalies, ...found];
  }

  /** Value of the only Content-Length, -1 where there is none or it is no number. */
  get contentLength(): number {
    const text = this.#list.value('content-length');
    return /^\d{1,15}$/.test(text) ? Number(text) : -1;
  }

  protected override collectInputs(): InputList {
    if (this.grpc === 'no' || (this.grpc === 'maybe' && !isLikeGrpc(this.body))) return requestInputs(this);
    const { method, target, headers } = this;
    const list = requestInputs({ method, target, headers, body: NO_BYTES });
    collectGrpc(this.body, this.#list.value('content-type'), this.#list.value('grpc-encoding'), list);
    return list;
  }
}

const NO_BYTES = new Uint8Array(0);

interface Parts {
  method: ByteString;
  path: ByteString;
  authority: ByteString;
  contentType: ByteString;
  /** With :authority as a Host header, once where the client sent the same in both. */
  headers: Field[];
}

function partsOf(fields: readonly Field[]): Parts {
  const parts: Parts = { method: '', path: '', authority: '', contentType: '', headers: [] };
  for (const field of fields) {
    const [name, value] = field;
    if (name.charCodeAt(0) !== COLON) {
      if (name === 'host' && value === parts.authority) continue;
      if (name === 'content-type') parts.contentType = value;
      parts.headers.push(isLowerCase(name) ? field : [name.toLowerCase(), value]);
    } else if (name === ':method') parts.method = value;
    else if (name === ':path') parts.path = value;
    else if (name === ':authority') {
      parts.authority = value;
      parts.headers.push(['host', value]);
    }
  }
  return parts;
}

const COLON = 0x3a;

function isLowerCase(name: ByteString): boolean {
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code >= 0x41 && code <= 0x5a) return false;
  }
  return true;
}

function judgeGrpc(list: HeaderList, { contentType, method }: Parts): 'yes' | 'no' | 'maybe' {
  if (contentType !== '') return isGrpcType(contentType) ? 'yes' : 'no';
  const mayBePost = method === 'POST' || method === '';
  return mayBePost && !list.isComplete ? 'maybe' : 'no';
}
