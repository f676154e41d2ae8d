import { chown, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');

/** Under sudo, what root makes in the checkout belongs to whoever owns the checkout. */
export async function giveBack(...paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(ROOT);
  for (const path of paths) await chown(path, uid, gid);
}
