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
  createClient(options: { url: string }): RedisClient;
  createClientPool(options: { url: string }, pool: { minimum: number; maximum: number }): RedisClient;
}
interface RedisClient {
  connect(): Promise<unknown>;
  exists(key: string): Promise<unknown>;
}

const run = promisify(execFile);
const workDirectory = process.env['WORK_DIR'] ?? '/nonexistent';

/** Loads one of the packages. */
export const load = createRequire(join(process.env['MODULES'] ?? '/nonexistent', 'package.json'));

const poolSize = Number(process.env['POOL_SIZE']);
const pool = new (load('pg') as PgModule).Pool({ max: poolSize });
const redis = connectRedis(load('redis') as RedisModule, `redis://127.0.0.1:${process.env['REDIS_PORT']}`);
await redis.connect();

/** One connection for all, as its users mostly have it, or one for each request at once. */
function connectRedis(module: RedisModule, url: string): RedisClient {
  return poolSize > 8
    ? module.createClientPool({ url }, { minimum: 1, maximum: poolSize })
    : module.createClient({ url });
}

/** One after the other. */
export async function work(id: string, carry: string): Promise<string> {
  const mark = markOf(id, carry);
  await insert(mark);
  await run('/bin/echo', [mark]);
  await touch(mark);
  await redis.exists(`visit:${mark}`);
  await comment(mark);
  return `done ${id}\n`;
}

/** In three branches. */
export async function workAtOnce(id: string, carry: string): Promise<string> {
  const mark = markOf(id, carry);
  await Promise.all([
    insert(mark).then(() => comment(mark)),
    run('/bin/echo', [mark]),
    touch(mark).then(() => redis.exists(`visit:${mark}`)),
  ]);
  return `done ${id}\n`;
}

function markOf(id: string, carry: string): string {
  return carry === 'reversed' ? Array.from(id).toReversed().join('') : id;
}

function insert(mark: string): Promise<unknown> {
  return pool.query('INSERT INTO visits (mark) VALUES ($1)', [mark]);
}

function comment(mark: string): Promise<unknown> {
  return pool.query(`SELECT 1 /* ${mark} */`);
}

async function touch(mark: string): Promise<void> {
  const path = join(workDirectory, `${mark}.txt`);
  await writeFile(path, 'visited\n');
  await unlink(path);
}
