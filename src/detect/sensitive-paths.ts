import type { ByteString } from '../base/bytes.ts';
import type { Severity } from '../model/finding.ts';

export interface SensitivePath {
  /** For people. */
  readonly label: string;
  readonly severity: Severity;
  /**
   * - library: C libraries and tools open it for reasons of their own (`getpwnam`)
   * - application: web applications open their own at start or for every request
   * - system: neither
   */
  readonly kind: 'library' | 'application' | 'system';
}

interface Entry extends SensitivePath {
  /** Matches a whole normalised absolute path. */
  readonly pattern: RegExp;
}

const HOME = '(?:/root|/home/[^/]+|/var/lib/[^/]+|/var/www|/Users/[^/]+)';

function entry(
  pattern: string,
  label: string,
  severity: Severity,
  kind: SensitivePath['kind'] = 'system',
): Entry {
  return { pattern: new RegExp(`^(?:${pattern})$`), label, severity, kind };
}

const ENTRIES: readonly Entry[] = [
  entry('/etc/g?shadow-?', 'password hashes', 'critical'),
  entry('/etc/sudoers(?:\\.d/.*)?', 'sudo rules', 'critical'),
  entry('/etc/ssh/ssh_host_.*', 'host keys', 'critical'),
  entry('/etc/(?:ld\\.so\\.preload|cron[^/]*(?:/.*)?)', 'code that the system runs', 'critical'),
  entry('/var/spool/cron/.*', 'code that the system runs', 'critical'),
  entry(`${HOME}/\\.ssh/.*`, 'SSH keys', 'critical'),
  entry('.*/(?:id_rsa|id_dsa|id_ecdsa|id_ed25519)', 'SSH keys', 'critical'),
  entry(
    '.*/\\.(?:aws/(?:credentials|config)|azure/.*|config/gcloud/.*|kube/config|docker/config\\.json)',
    'cloud credentials',
    'critical',
  ),
  entry('.*/\\.(?:netrc|pgpass|my\\.cnf|npmrc|pypirc|git-credentials|htpasswd)', 'credentials', 'critical'),
  entry(`${HOME}/\\.[a-z]+_history`, 'shell history', 'high'),
  entry(`${HOME}/\\.(?:bashrc|profile|bash_profile|zshrc)`, 'code that shells run', 'high'),
  entry('(?:/var)?/run/secrets/.*', 'container secrets', 'critical'),
  entry('(?:/var)?/run/docker\\.sock', 'container control', 'critical'),
  entry('/etc/kubernetes/.*', 'cluster credentials', 'critical'),
  entry('/proc/(?:self|thread-self|\\d+)/(?:task/\\d+/)?environ', 'environment of a process', 'critical'),
  entry(
    '/proc/(?:self|thread-self|\\d+)/(?:task/\\d+/)?(?:cmdline|maps|mem|status|cwd/.*|root/.*|fd/.*)',
    'insides of a process',
    'high',
  ),
  entry('/etc/(?:passwd|group)-?', 'user accounts', 'high', 'library'),
  entry(
    '/etc/(?:hosts|hostname|resolv\\.conf|nsswitch\\.conf|issue|os-release|services|fstab|mtab|motd)',
    'system configuration',
    'medium',
    'library',
  ),
  entry(
    '/(?:proc/(?:version|net/[a-z0-9]+|mounts|self/mounts))',
    'system configuration',
    'medium',
    'library',
  ),
  entry('/etc/(?:mysql|postgresql|nginx|apache2|httpd|php|redis)/.*', 'service configuration', 'medium'),
  entry('/var/log/(?:apache2|httpd|nginx)/.*|/var/log/auth\\.log', 'logs', 'medium'),
  entry('.*/\\.env(?:\\.[a-z]+)?', 'application secrets', 'critical', 'application'),
  entry(
    '.*/(?:wp-config\\.php|configuration\\.php|settings\\.php|local_settings\\.py|settings\\.py|database\\.yml|secrets\\.yml|master\\.key|parameters\\.yml|appsettings(?:\\.[A-Za-z]+)?\\.json|web\\.config)',
    'application configuration',
    'high',
    'application',
  ),
  entry('.*/WEB-INF/.*', 'application configuration', 'high', 'application'),
  entry('.*/\\.(?:git|svn|hg)/.*', 'source repository', 'high', 'application'),
];

const ANY = new RegExp(ENTRIES.map(({ pattern }) => pattern.source).join('|'));

/** What a normalised absolute path holds that no request should name, or null. */
export function sensitivePath(path: ByteString): SensitivePath | null {
  if (!mayBeSensitive(path) || !ANY.test(path)) return null;
  return ENTRIES.find(({ pattern }) => pattern.test(path)) ?? null;
}

const TOP_DIRECTORIES = ['/etc/', '/proc/', '/root/', '/home/', '/run/', '/var/'];
/** Marks of the entries that may lie anywhere. */
const ANYWHERE = [
  '/.',
  '/id_',
  'config',
  'settings',
  '/database.yml',
  '/secrets.yml',
  '/master.key',
  '/parameters.yml',
  '/WEB-INF/',
  '/Users/',
];

/** Most opens are of these, and nothing in them is secret. */
const LIBRARIES = ['/usr/lib/', '/lib/', '/usr/share/', '/lib64/'];

/** Cheap, and right for nearly all paths that are not sensitive. */
function mayBeSensitive(path: ByteString): boolean {
  for (const directory of LIBRARIES) if (path.startsWith(directory)) return false;
  for (const directory of TOP_DIRECTORIES) if (path.startsWith(directory)) return true;
  for (const mark of ANYWHERE) if (path.includes(mark)) return true;
  return false;
}

/** The same in a value of a request, where it stands at the end of what looks like a path: for probes. */
export function namesSensitivePath(value: ByteString): boolean {
  return sensitivePath(value.startsWith('/') ? value : `/${value}`) !== null;
}
