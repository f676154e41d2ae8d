import type { Protocol } from '../contract.ts';
import { recogniseHttp2 } from './recognise.ts';
import { Http2Connection } from './stream.ts';

/** HTTP/2 in cleartext (RFC 9113) with its header compression (RFC 7541), and gRPC inside of it. */
export const http2: Protocol = {
  name: 'http2',
  transport: 'stream',
  recognise: recogniseHttp2,
  open: (sink) => new Http2Connection(sink),
};
