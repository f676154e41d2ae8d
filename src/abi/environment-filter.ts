import { bytesOf, byteString, type ByteString } from '../base/bytes.ts';
import { selectVariables } from '../model/environment.ts';
import { EVENT_HEADER, EXEC_DETAILS, EXEC_EVENT, EXEC_FLAG } from './abi.gen.ts';
import { Sections } from './sections.ts';

/**
 * Takes out of exec events all variables of the environment that nobody asked for, before anybody sees or records them. The
 * event is copied: the ring's memory is not ours to write to.
 */
export class EnvironmentFilter {
  /** Where the last event that was filtered stands, from its beginning. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #names: ReadonlySet<ByteString> = new Set();

  /** @param limitBytes size of the largest event */
  constructor(limitBytes: number) {
    this.bytes = new Uint8Array(limitBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  ask(names: ReadonlySet<ByteString>): void {
    this.#names = names;
  }

  /**
   * @param size of an exec event at `offset`
   * @returns its size now, in `bytes`; -1 where it has no environment, and was not copied
   */
  apply(bytes: Uint8Array, view: DataView, offset: number, size: number): number {
    if (size < EXEC_EVENT.SIZE || size > this.bytes.length) return -1;
    const u32 = (field: number): number => view.getUint32(offset + field, true);
    const sections = new Sections(bytes, offset + EXEC_EVENT.SIZE, offset + size);
    sections.next(u32(EXEC_EVENT.path_size));
    sections.next(u32(EXEC_EVENT.executable_size));
    sections.next(u32(EXEC_EVENT.working_directory_size));
    sections.next(u32(EXEC_EVENT.argv_size));
    sections.next(u32(EXEC_EVENT.group_count) * 4);
    const details = sections.place(EXEC_DETAILS.SIZE);
    if (details < 0 || (view.getUint32(details + EXEC_DETAILS.flags, true) & EXEC_FLAG.ENVIRONMENT) === 0)
      return -1;
    sections.next(view.getUint32(details + EXEC_DETAILS.interpreter_size, true));
    const start = sections.position - offset;
    // Behind the last NUL stands nothing, or a variable that was cut.
    const variables = byteString(bytes, offset + start, offset + size)
      .split('\0')
      .slice(0, -1);
    const kept = selectVariables(variables, this.#names).map((variable) => `${variable}\0`);
    this.bytes.set(bytes.subarray(offset, offset + start));
    const environment = bytesOf(kept.join(''));
    this.bytes.set(environment, start);
    const total = start + environment.length;
    this.view.setUint32(EVENT_HEADER.size, total, true);
    return total;
  }
}
