import { byteString, type ByteString } from '../../base/bytes.ts';
import { withoutCoding } from '../http/content-coding.ts';
import type { InputList } from '../http/input-list.ts';
import { collectJson } from '../http/json-leaves.ts';
import { MAX_BODY_BYTES } from '../http/message.ts';
import { uint24 } from './parser.ts';
import { collectProtobuf } from './protobuf.ts';

/** Messages of one call that are looked into: a client may stream many. */
const MAX_MESSAGES = 64;
const PREFIX_BYTES = 5;

/**
 * Collects what the messages of a call hold (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): each
 * has a flag for compression and a length of four bytes in front. The last one may be cut.
 */
export function collectGrpc(
  body: Uint8Array,
  contentType: ByteString,
  encoding: ByteString,
  list: InputList,
): void {
  const isJson = contentType.includes('+json');
  let start = 0;
  for (let count = 0; count < MAX_MESSAGES && start + PREFIX_BYTES < body.length && !list.isFull; count++) {
    const flag = body[start] as number;
    const length = (body[start + 1] as number) * 2 ** 24 + uint24(body, start + 2);
    start += PREFIX_BYTES;
    const end = Math.min(body.length, start + length);
    const stored = body.subarray(start, end);
    const message = (flag & 1) === 1 ? withoutCoding(stored, encoding) : stored;
    if (isJson) collectJson(byteString(message), list);
    else collectProtobuf(message, list);
    start = end;
  }
}

/** gRPC and gRPC-Web, except where the messages are base64. */
export function isGrpcType(contentType: ByteString): boolean {
  return contentType.startsWith('application/grpc') && !contentType.startsWith('application/grpc-web-text');
}

/** Whether a body whose type is unknown can be messages of gRPC: what their lengths say fits from first to last. */
export function isLikeGrpc(body: Uint8Array): boolean {
  let at = 0;
  while (at + PREFIX_BYTES <= body.length) {
    // A flag for compression, and no message of 16 MiB.
    if ((body[at] as number) > 1 || body[at + 1] !== 0) return false;
    at += PREFIX_BYTES + uint24(body, at + 2);
  }
  return at === body.length || body.length >= MAX_BODY_BYTES;
}

// The HTTP status that stands for each gRPC status, by the list of google/rpc/code.proto.
const HTTP_STATUS: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** @returns 0 where the text is no gRPC status */
export function httpStatusOfGrpc(grpcStatus: ByteString): number {
  if (grpcStatus.length === 0 || grpcStatus.length > 2) return 0;
  return HTTP_STATUS[Number(grpcStatus)] ?? 0;
}
