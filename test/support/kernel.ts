import { existsSync } from 'node:fs';

/**
 * Kernel tests run as root or not at all, and "not at all" is a failure: a run that silently left them out would look
 * like one that passed.
 */
export function requireKernel(): void {
  if (process.getuid?.() !== 0) throw new Error('kernel tests need root: sudo make test');
  if (!existsSync('/sys/kernel/btf/vmlinux'))
    throw new Error('kernel tests need a kernel with BTF: /sys/kernel/btf/vmlinux is missing');
}
