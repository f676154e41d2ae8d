import { existsSync } from 'node:fs';
import type { Certificate } from '../support/certificate.ts';

const PROGRAMS = ['/usr/sbin/apache2', '/usr/sbin/httpd'];
const MODULE_DIRECTORIES = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules'];
const MODULES = ['mpm_prefork', 'authz_core', 'alias', 'env', 'cgi'];

/** Where this machine has Apache; null for what it has not. */
export function findApache(): { program: string; modules: string } | null {
  const program = PROGRAMS.find((path) => existsSync(path));
  const modules = MODULE_DIRECTORIES.find((path) => existsSync(`${path}/mod_mpm_prefork.so`));
  return program && modules ? { program, modules } : null;
}

/**
 * The smallest configuration that serves: prefork, one CGI program for every path, nothing outside `directory`.
 *
 * @param modules directory of Apache's loadable modules
 * @param script the CGI program
 */
export function apacheConfig(
  directory: string,
  modules: string,
  script: string,
  port: number,
  certificate: Certificate | null = null,
): string {
  const names = certificate === null ? MODULES : [...MODULES, 'ssl'];
  const secured =
    certificate === null
      ? ''
      : `SSLEngine on
SSLCertificateFile "${certificate.certificateFile}"
SSLCertificateKeyFile "${certificate.keyFile}"`;
  return `
ServerRoot "${directory}"
DefaultRuntimeDir "${directory}"
PidFile "${directory}/apache.pid"
ErrorLog "${directory}/apache.log"
LogLevel warn
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
${names.map((name) => `LoadModule ${name}_module "${modules}/mod_${name}.so"`).join('\n')}
# As many as a test has connections at once: prefork is slow to add more.
StartServers 64
MinSpareServers 1
MaxSpareServers 128
ServerLimit 128
MaxRequestWorkers 128
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 5
${secured}
PassEnv WORK_DIR SINK_PORT
AcceptPathInfo On
ScriptAliasMatch "^(/.*)$" "${script}$1"
<Directory "/">
  Require all granted
</Directory>
`;
}
