import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { elfVariables } from '../src/abi/btf.ts';
import { native } from '../src/kernel/libbpf.ts';
import { ROOT } from './checkout.ts';

/** Of struct bpf_map_info (include/uapi/linux/bpf.h). */
const INFO_BYTES = 88;
const [VALUE_SIZE_AT, NAME_AT, NAME_BYTES] = [12, 24, 16];

/**
 * Switches what an attached agent's programs look at off and on again, at once: they leave after their first test, as for
 * a system call that nobody wants. The agent knows nothing of it.
 */
export class AgentSwitch {
  readonly #words: { readonly view: BigUint64Array; readonly on: BigUint64Array }[];

  /**
   * @param pid of the agent
   * @param checkout where it was built
   */
  constructor(pid: number, checkout = ROOT) {
    const variables = mapVariables(pid);
    const offsets = elfVariables(readFileSync(join(checkout, 'build', 'throughline.bpf.o')), '.bss');
    this.#words = ['wanted_syscalls', 'wanted_compat'].map((name) => {
      const view = new BigUint64Array(variables, offsets.get(name), 8);
      return { view, on: view.slice() };
    });
  }

  turn(isOn: boolean): void {
    for (const { view, on } of this.#words) {
      if (isOn) view.set(on);
      else view.fill(0n);
    }
  }
}

function mapVariables(pid: number): ArrayBuffer {
  const library = koffi.load('libbpf.so.1');
  const fdById = library.func('int bpf_map_get_fd_by_id(uint32_t id)');
  const infoByFd = library.func(
    'int bpf_obj_get_info_by_fd(int fd, _Out_ uint8_t *info, _Inout_ uint32_t *size)',
  );
  for (const entry of readdirSync(`/proc/${pid}/fdinfo`)) {
    const id = /^map_id:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${entry}`, 'utf8'))?.[1];
    if (id === undefined) continue;
    const fd = fdById(Number(id)) as number;
    const info = Buffer.alloc(INFO_BYTES);
    infoByFd(fd, info, [INFO_BYTES]);
    const name = info.toString('latin1', NAME_AT, NAME_AT + NAME_BYTES).replace(/\0.*/, '');
    if (name.endsWith('.bss')) return native().mapVariables(fd, info.readUInt32LE(VALUE_SIZE_AT));
    native().close(fd);
  }
  throw new Error(`no variables of programs among the maps of process ${pid}`);
}
