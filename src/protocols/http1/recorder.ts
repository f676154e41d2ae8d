import { byteString } from '../../base/bytes.ts';
import type { RequestMessage } from '../../model/request.ts';
import type { RequestSink } from '../contract.ts';

/** A sink for tests: writes down what it is told, one line a call, and checks the order of the calls. */
export class Recorder implements RequestSink {
  readonly lines: string[] = [];
  readonly messages: RequestMessage[] = [];
  #open: RequestMessage | null = null;
  #begun = 0;
  #answered = 0;
  #isReplyOpen = false;

  requestStarted(message: RequestMessage): void {
    if (this.#open !== null) throw new Error('a request began inside another one');
    this.#open = message;
    this.#begun++;
    this.messages.push(message);
    this.lines.push(`> ${message.method} ${message.target}`);
  }

  requestEnded(): void {
    const message = this.#open;
    if (message === null) throw new Error('a request ended that had not begun');
    this.#open = null;
    const odd = [...(message.isTruncated ? ['truncated'] : []), ...message.anomalies].join(' ');
    this.lines.push(`. ${JSON.stringify(byteString(message.body))}${odd === '' ? '' : ` (${odd})`}`);
  }

  responseStarted(status: number): void {
    if (this.#isReplyOpen) throw new Error('a reply began inside another one');
    if (this.#answered >= this.#begun) throw new Error('a reply to nothing began');
    this.#isReplyOpen = true;
    this.lines.push(`< ${String(status)}`);
  }

  responseEnded(): void {
    if (this.#answered >= this.#begun) throw new Error('a reply to nothing ended');
    this.#answered++;
    this.#isReplyOpen = false;
    this.lines.push('<.');
  }
}
