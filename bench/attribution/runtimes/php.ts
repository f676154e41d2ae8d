import { chmodSync, copyFileSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findApache } from '../../../test/servers/apache-config.ts';
import { firstMissing } from '../system.ts';
import { SERVERS, WITH_REDIS, type Place, type Runtime } from './runtime.ts';

const WORKERS = 8;
const NGINX = '/usr/sbin/nginx';
const REDIS_PATTERN = '/usr/lib/php/*/redis.so';
const POSTGRESQL_PATTERN = '/usr/lib/php/*/pgsql.so';

/** The drivers that both need; their folder is named after PHP's version of its own interface. */
function missingDriver(): string | null {
  if (globSync(POSTGRESQL_PATTERN).length === 0)
    return "PHP's pgsql.so is missing (Debian package php-pgsql)";
  return globSync(REDIS_PATTERN).length === 0 ? "PHP's redis.so is missing (Debian package php-redis)" : null;
}

/** A copy of the script: who serves as nobody may not look into the checkout. */
function copyScript(directory: string): string {
  const script = join(directory, 'index.php');
  copyFileSync(join(SERVERS, 'php-index.php'), script);
  chmodSync(script, 0o644);
  return script;
}

const fpm = (): string | undefined => globSync('/usr/sbin/php-fpm*').toSorted().at(-1);

function fpmConfig(directory: string): string {
  return `
[global]
error_log = ${directory}/fpm.log
daemonize = no
[www]
listen = ${directory}/fpm.sock
listen.backlog = 511
pm = static
pm.max_children = ${WORKERS}
clear_env = no
`;
}

function nginxConfig({ directory, port }: Place, script: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${directory}/${name};`)
    .join('\n');
  return `
daemon off;
pid ${directory}/nginx.pid;
error_log stderr warn;
worker_processes 2;
events { worker_connections 1024; }
http {
  access_log off;
${temporary}
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port} backlog=511;
    location / {
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME ${script};
      fastcgi_pass unix:${directory}/fpm.sock;
    }
  }
}
`;
}

const phpFpm: Runtime = {
  name: 'php-fpm',
  title: `PHP-FPM, ${WORKERS} processes, behind nginx`,
  expected: WITH_REDIS,
  missing() {
    if (fpm() === undefined) return 'php-fpm is missing (Debian package php-fpm)';
    return firstMissing({ [NGINX]: 'nginx', '/etc/nginx/fastcgi_params': 'nginx' }) ?? missingDriver();
  },
  prepare(place) {
    const { directory } = place;
    const script = copyScript(directory);
    const fpmFile = join(directory, 'fpm.conf');
    const nginxFile = join(directory, 'nginx.conf');
    writeFileSync(fpmFile, fpmConfig(directory));
    writeFileSync(nginxFile, nginxConfig(place, script));
    return [
      { program: fpm() ?? '', args: ['--fpm-config', fpmFile, '--nodaemonize'], isNobody: true },
      { program: NGINX, args: ['-c', nginxFile, '-e', 'stderr'], isNobody: true },
    ];
  },
};

function apacheConfig({ directory, port }: Place, modules: string, php: string, script: string): string {
  return `
ServerRoot "${directory}"
DefaultRuntimeDir "${directory}"
PidFile "${directory}/apache.pid"
ErrorLog "${directory}/apache.log"
LogLevel warn
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
LoadModule mpm_prefork_module "${modules}/mod_mpm_prefork.so"
LoadModule authz_core_module "${modules}/mod_authz_core.so"
LoadModule alias_module "${modules}/mod_alias.so"
LoadModule php_module "${php}"
StartServers 16
MinSpareServers 16
MaxSpareServers 16
ServerLimit 16
MaxRequestWorkers 16
KeepAlive On
# A process belongs to a connection for as long as it is kept: with more connections than processes, they take turns.
MaxKeepAliveRequests 20
KeepAliveTimeout 1
AliasMatch "^/.*$" "${script}"
<Directory "${directory}">
  Require all granted
  SetHandler application/x-httpd-php
</Directory>
`;
}

const apachePhp: Runtime = {
  name: 'apache-php',
  title: 'Apache prefork with its PHP module, 16 processes',
  expected: WITH_REDIS,
  missing() {
    const apache = findApache();
    if (apache === null) return 'Apache with mpm_prefork is missing (Debian package apache2-bin)';
    if (globSync(`${apache.modules}/libphp*.so`).length === 0)
      return "Apache's PHP module is missing (Debian package libapache2-mod-php)";
    return missingDriver();
  },
  prepare(place) {
    const apache = findApache();
    const php = globSync(`${apache?.modules}/libphp*.so`).toSorted().at(-1);
    if (apache === null || php === undefined) throw new Error('Apache or its PHP module is missing');
    const file = join(place.directory, 'httpd.conf');
    writeFileSync(file, apacheConfig(place, apache.modules, php, copyScript(place.directory)));
    return [{ program: apache.program, args: ['-f', file, '-D', 'FOREGROUND'], isNobody: true }];
  },
};

export const PHP_RUNTIMES: readonly Runtime[] = [phpFpm, apachePhp];
