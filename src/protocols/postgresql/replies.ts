import type { Exchange } from './exchange.ts';
import type { Frames } from './frames.ts';
import {
  COMMAND_COMPLETE,
  COPY_IN,
  COPY_OUT,
  DATA_ROW,
  EMPTY_QUERY,
  ERROR,
  PARSE_COMPLETE,
  PORTAL_SUSPENDED,
  READY,
} from './messages.ts';
import { readFailure, readString } from './parser.ts';
import type { Requests } from './requests.ts';

const IDLE = 0x49; // I

/** What a message of the server answers. */
export function readReply(frames: Frames, exchange: Exchange, requests: Requests): void {
  const { type, body, start, end, isTruncated } = frames;
  switch (type) {
    case PARSE_COMPLETE:
      exchange.parseComplete();
      return;
    case COPY_OUT:
      exchange.replyBegan();
      return;
    case DATA_ROW:
      exchange.row();
      return;
    case COPY_IN:
      exchange.isCopyIn = true;
      return;
    case COMMAND_COMPLETE:
      // Half a tag may have half a number.
      exchange.completed(isTruncated ? '' : readString(body, start, end));
      return;
    case EMPTY_QUERY:
      exchange.completed('');
      return;
    case PORTAL_SUSPENDED:
      exchange.suspended();
      return;
    case ERROR:
      exchange.failed(readFailure(body, start, end), (statement) => requests.query(statement, [], false));
      return;
    case READY: {
      const isTransactionOver = body[start] === IDLE;
      if (isTransactionOver) requests.statements.endTransaction();
      exchange.ready(isTransactionOver);
    }
  }
}
