/** What a request of the Node servers does, on the packages that `setup.sh` puts into a folder of their own. */
import { execFile } from 'node:child_process';
import { unlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** So much of the packages as is used: they are not there where this is type-checked. */
interface PgModule {
  readonly Pool: new (options: { max: number }) => {
    query(text: string, values?: readonly unknown[]): Promise<unknown>;
  };
}
interface RedisModule {
  createClient(options: { url: string }): {
    connect(): Promise<unknown>;
    exists(key: string): Promise<unknown>;
  };
}

const run = promisify(execFile);
const workDirectory = process.env['WORK_DIR'] ?? '/nonexistent';

/** Loads one of the packages. */
export const load = createRequire(join(process.env['MODULES'] ?? '/nonexistent', 'package.json'));

const pool = new (load('pg') as PgModule).Pool({ max: 8 });
const redis = (load('redis') as RedisModule).createClient({
  url: `redis://127.0.0.1:${process.env['REDIS_PORT']}`,
});
await redis.connect();

export async function work(id: string, carry: string): Promise<string> {
  const mark = carry === 'reversed' ? Array.from(id).toReversed().join('') : id;
  await pool.query('INSERT INTO visits (mark) VALUES ($1)', [mark]);
  await run('/bin/echo', [mark]);
  const path = join(workDirectory, `${mark}.txt`);
  await writeFile(path, 'visited\n');
  await unlink(path);
  await redis.exists(`visit:${mark}`);
  await pool.query(`SELECT 1 /* ${mark} */`);
  return `done ${id}\n`;
}
