/**
 * Programs that attackers start and that applications hardly ever let their users choose by name: shells, ways to
 * look around, ways to fetch and to connect back. A bare word of a request that equals the name of a program that was
 * run is chance as a rule (`/api/ping` runs ping, `?tool=convert` runs convert); for these it is not.
 */
const CHOSEN_BY_ATTACKERS = [
  ...['sh', 'bash', 'dash', 'ash', 'ksh', 'zsh', 'busybox'],
  ...['id', 'whoami', 'uname', 'ifconfig', 'netstat', 'printenv', 'passwd', 'sudo', 'su', 'crontab'],
  ...['nc', 'ncat', 'netcat', 'socat', 'telnet', 'wget', 'curl'],
] as const;

/** Programs that stand in the payloads of scanners and exploits. */
const IN_PAYLOADS = [
  ...CHOSEN_BY_ATTACKERS,
  ...['cat', 'ls', 'dir', 'pwd', 'ps', 'env', 'echo', 'printf', 'sleep', 'ping', 'nslookup', 'dig', 'host'],
  ...[
    'python',
    'python2',
    'python3',
    'perl',
    'ruby',
    'php',
    'node',
    'lua',
    'awk',
    'base64',
    'xxd',
    'openssl',
  ],
  ...['rm', 'cp', 'mv', 'touch', 'chmod', 'chown', 'kill', 'head', 'tail', 'tac', 'more', 'less', 'nl', 'od'],
  ...[
    'grep',
    'find',
    'tee',
    'tar',
    'ftp',
    'tftp',
    'ssh',
    'scp',
    'useradd',
    'hostname',
    'w',
    'mknod',
    'mkfifo',
  ],
] as const;

export const ATTACKER_CHOSEN_COMMANDS: ReadonlySet<string> = new Set(CHOSEN_BY_ATTACKERS);
export const PAYLOAD_COMMANDS: ReadonlySet<string> = new Set(IN_PAYLOADS);
