import type { ByteString } from '../../base/bytes.ts';
import { UNTOLD_NUMBER } from '../event.ts';

/**
 * Device of the first terminal of each kind, by the kernel's name of the kind: Documentation/admin-guide/devices.txt. Others
 * are numbered behind it.
 */
const KINDS: ReadonlyMap<string, readonly [major: number, firstMinor: number]> = new Map([
  ['pts', [136, 0]],
  ['tty', [4, 0]],
  ['ttyS', [4, 64]],
  ['ttyACM', [166, 0]],
  ['ttyUSB', [188, 0]],
  ['ttyAMA', [204, 64]],
]);

/** Of 20 bits: MINORBITS of include/linux/kdev_t.h. */
const MAX_MINOR = 0xfffff;

/**
 * Device number of a terminal, in the encoding that /proc/PID/stat has (new_encode_dev of include/linux/kdev_t.h): 34816 of pts0.
 *
 * @param name as the kernel calls it, such as pts3
 * @returns UNTOLD_NUMBER for a terminal of a kind that is not known
 */
export function terminalNumber(name: ByteString): number {
  const [, kind = '', digits = ''] = /^([a-zA-Z]{1,8})(\d{1,7})$/.exec(name) ?? [];
  const device = KINDS.get(kind);
  if (device === undefined) return UNTOLD_NUMBER;
  const minor = device[1] + Number(digits);
  return minor > MAX_MINOR ? UNTOLD_NUMBER : (minor & 0xff) | (device[0] << 8) | ((minor & 0xfff00) << 12);
}
