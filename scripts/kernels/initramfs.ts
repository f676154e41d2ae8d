import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cpioArchive } from './cpio.ts';
import type { KernelFiles } from './debian-kernels.ts';
import { loadOrder } from './modules.ts';

/** What it takes to mount the host's root; Debian has all of it as modules. */
const MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];
const BUSYBOX = '/bin/busybox';

/** The first root of a guest: busybox, the modules above and guest/init. */
export function makeInitramfs(kernel: KernelFiles): Buffer {
  const order = loadOrder(readFileSync(join(kernel.modules, 'modules.dep'), 'utf8'), MODULES);
  const modules = order.map((path) => {
    const file = join(kernel.modules, path);
    const isPacked = path.endsWith('.xz');
    return {
      path: `modules/${basename(path, '.xz')}`,
      content: isPacked ? execFileSync('xz', ['-dc', file], { maxBuffer: 64 << 20 }) : readFileSync(file),
    };
  });
  const list = modules.map(({ path }) => `${basename(path)}\n`).join('');
  return cpioArchive([
    { path: 'bin', content: null },
    { path: 'bin/busybox', content: readFileSync(BUSYBOX) },
    { path: 'init', content: readFileSync(join(import.meta.dirname, 'guest', 'init')) },
    { path: 'modules', content: null },
    ...modules,
    { path: 'modules/order', content: Buffer.from(list) },
  ]);
}
