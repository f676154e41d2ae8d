import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** The name is the same for every runtime, since it says where it would come from. It is never fetched. */
export const IMAGE = 'registry.test/box:1';

const BUSYBOX = '/bin/busybox';
const APPLETS = ['sh', 'cat', 'echo', 'httpd', 'id', 'sleep'];

/** Runs what it is told: the hole that is attacked. */
const PING = `#!/bin/sh
host=$(httpd -d "\${QUERY_STRING#host=}")
printf 'Content-Type: text/plain\\r\\n\\r\\n'
/bin/sh -c "echo checking $host"
`;

/**
 * An image of the host's own static busybox, in the format of `docker save`, which all runtimes read. Its program waits,
 * so that it is also what holds the sandbox of a pod.
 *
 * @returns path of the archive
 */
export function makeImage(directory: string): string {
  if (!existsSync(BUSYBOX)) throw new Error(`${BUSYBOX} is missing (Debian package busybox-static)`);
  const root = join(directory, 'root');
  for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'www/cgi-bin'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  const ping = join(root, 'www/cgi-bin/ping');
  writeFileSync(ping, PING);
  chmodSync(ping, 0o755);

  const archive = join(directory, 'archive');
  mkdirSync(archive);
  tar(root, join(archive, 'layer.tar'), ['.']);
  const layer = createHash('sha256')
    .update(readFileSync(join(archive, 'layer.tar')))
    .digest('hex');
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = {
    architecture,
    os: 'linux',
    config: { Cmd: ['/bin/sleep', '100000'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  };
  writeFileSync(join(archive, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }];
  writeFileSync(join(archive, 'manifest.json'), JSON.stringify(manifest));
  const path = join(directory, 'image.tar');
  tar(archive, path, ['manifest.json', 'config.json', 'layer.tar']);
  return path;
}

function tar(from: string, to: string, names: readonly string[]): void {
  execFileSync('tar', ['--owner=0', '--group=0', '-C', from, '-cf', to, ...names]);
}
