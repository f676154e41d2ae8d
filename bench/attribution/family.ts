import { readdir, readFile } from 'node:fs/promises';

/** These processes and all below them. */
export async function familyOf(pids: readonly number[]): Promise<number[]> {
  const family = new Set(pids);
  for (const pid of family)
    for (const thread of await readdir(`/proc/${pid}/task`).catch(() => [])) {
      const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '');
      for (const child of children.split(' ')) if (child !== '') family.add(Number(child));
    }
  return [...family];
}
