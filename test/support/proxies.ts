import { chmodSync, existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findApache } from '../servers/apache-config.ts';

/** Real proxies and PHP-FPM out of Debian, each with the smallest configuration that serves. Nothing outside `directory`. */

export const NGINX = '/usr/sbin/nginx';

export interface ProxyCommand {
  readonly program: string;
  readonly args: readonly string[];
}

export function findFpm(): string | null {
  return globSync('/usr/sbin/php-fpm*').toSorted().at(-1) ?? null;
}

/** What of the test's programs this machine has not; null when it has all. */
export function missingProxies(): string | null {
  if (!existsSync(NGINX)) return 'nginx is not installed (Debian package nginx)';
  if (findFpm() === null) return 'php-fpm is not installed (Debian package php-fpm)';
  return findApache() === null ? 'Apache is not installed (Debian package apache2-bin)' : null;
}

/** Where nginx sends requests on: `http://127.0.0.1:3000`, `http://unix:/run/app.sock`, `fastcgi unix:/run/fpm.sock`. */
export type Upstream = `http://${string}` | `fastcgi ${string}`;

/** So `/turn/123456` becomes `/app/654321`: what the application gets has none of the client's bytes. */
const TURN = String.raw`rewrite "^/turn/(\d)(\d)(\d)(\d)(\d)(\d)$" /app/$6$5$4$3$2$1 break;`;

/**
 * @param isKept whether connections to the application are used again
 * @param tellsClient whether the variables of FastCGI name the client, as those do that Debian's nginx comes with
 */
export function nginx(
  directory: string,
  port: number,
  upstream: Upstream,
  isKept: boolean,
  tellsClient = false,
): ProxyCommand {
  const [, address = ''] = upstream.startsWith('http://')
    ? upstream.split('http://')
    : upstream.split('fastcgi ');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join('\n  ');
  const pass = upstream.startsWith('http://')
    ? `proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "${isKept ? '' : 'close'}";`
    : `fastcgi_pass app; fastcgi_keep_conn ${isKept ? 'on' : 'off'};
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param REQUEST_URI $uri?$args;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param SCRIPT_FILENAME ${directory}/index.php;
      ${tellsClient ? 'fastcgi_param REMOTE_ADDR $remote_addr; fastcgi_param REMOTE_PORT $remote_port;' : ''}`;
  const file = join(directory, `nginx-${port}.conf`);
  writeFileSync(
    file,
    `
daemon off;
user root;
pid ${directory}/nginx-${port}.pid;
error_log stderr warn;
worker_processes 2;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary}
  keepalive_requests 1000000;
  upstream app { server ${address}; ${isKept ? 'keepalive 32;' : ''} }
  server {
    listen 127.0.0.1:${port} backlog=511;
    location / { ${pass} }
    location /turn/ { ${TURN} ${pass} }
  }
}
`,
  );
  return { program: NGINX, args: ['-c', file, '-e', 'stderr'] };
}

/** @param script PHP's source */
export function fpm(directory: string, listen: string, script: string): ProxyCommand {
  writeFileSync(join(directory, 'index.php'), script);
  chmodSync(join(directory, 'index.php'), 0o644);
  const file = join(directory, 'fpm.conf');
  writeFileSync(
    file,
    `
[global]
error_log = ${directory}/fpm.log
daemonize = no
[www]
user = root
listen = ${listen}
listen.backlog = 511
pm = static
pm.max_children = 40
`,
  );
  return {
    program: findFpm() ?? '',
    args: ['--fpm-config', file, '--nodaemonize', '--allow-to-run-as-root'],
  };
}

export function apacheProxy(directory: string, port: number, address: string): ProxyCommand {
  const apache = findApache();
  const file = join(directory, 'proxy.conf');
  const modules = ['mpm_prefork', 'authz_core', 'proxy', 'proxy_http'];
  writeFileSync(
    file,
    `
ServerRoot "${directory}"
DefaultRuntimeDir "${directory}"
PidFile "${directory}/apache.pid"
ErrorLog "${directory}/apache.log"
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
${modules.map((name) => `LoadModule ${name}_module "${apache?.modules ?? ''}/mod_${name}.so"`).join('\n')}
StartServers 32
MinSpareServers 1
MaxSpareServers 64
ServerLimit 64
MaxRequestWorkers 64
ProxyPass "/" "${address}/"
`,
  );
  return { program: apache?.program ?? '', args: ['-f', file, '-D', 'FOREGROUND'] };
}
