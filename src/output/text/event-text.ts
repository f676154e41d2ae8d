import { actionText } from './action-text.ts';
import { endpointText } from '../../base/addresses.ts';
import type { ExecutableHash } from '../../model/executable.ts';
import type { EventView, ExecEventView } from '../views.ts';
import type { Terminal } from './terminal.ts';
import { commandText, exitText } from './wording.ts';

/** One line for one kernel event. Ends with a line feed. */
export function eventText(event: EventView, terminal: Terminal): string {
  const process = event.tid === event.pid ? String(event.pid) : `${event.pid}/${event.tid}`;
  const parts = [
    terminal.paint('dim', terminal.timeOfDay(event.time)),
    terminal.paint('bold', event.type.padEnd(7)),
    process.padEnd(13),
    detailText(event, terminal),
  ];
  if (event.stamp !== null) {
    const { connection, sequence, origin } = event.stamp;
    const stamp = connection === 0 ? origin : `connection ${connection} message ${sequence}, ${origin}`;
    parts.push(terminal.paint('dim', `<${stamp}>`));
  }
  if (event.truncated) parts.push(terminal.paint('yellow', '[cut]'));
  return parts.join('  ') + '\n';
}

function environmentText({ environment = {} }: ExecEventView, terminal: Terminal): string {
  return Object.entries(environment)
    .map(
      ([name, value]) =>
        `  ${terminal.safe(name, 60)}${value === null ? '' : `=${terminal.safe(value, 200)}`}`,
    )
    .join('');
}

function hashText(hash: ExecutableHash | undefined): string {
  if (hash === undefined) return '';
  return `  sha256=${hash.sha256 ?? `unknown (${hash.problem})`}`;
}

function detailText(event: EventView, terminal: Terminal): string {
  switch (event.type) {
    case 'exec': {
      const command = commandText(event.argv, terminal);
      const traits = event.details?.traits.join(', ') ?? '';
      return `${terminal.safe(event.executable)}: ${command}  ppid=${event.ppid} uid=${event.uid} cwd=${terminal.safe(event.cwd)}${traits === '' ? '' : `  [${traits}]`}${environmentText(event, terminal)}${hashText(event.hash)}`;
    }
    case 'fork':
      return `child=${event.childPid}`;
    case 'exit':
      return exitText(event.code);
    case 'accept': {
      const client = endpointText(event.client.ip, event.client.port, event.family);
      const server = endpointText(event.server.ip, event.server.port, event.family);
      const adopted = event.adopted ? ' (was open before)' : '';
      return `connection=${event.connection} ${terminal.safe(client)} ${terminal.symbols.arrow} ${terminal.safe(server)}${adopted}`;
    }
    case 'connect': {
      const remote = terminal.safe(endpointText(event.address, event.port, event.family));
      return event.error === null ? remote : `${remote}  ${event.error}`;
    }
    case 'datagram': {
      const remote = terminal.safe(endpointText(event.address, event.port, event.family));
      return `${event.direction} ${event.transport} ${remote}`;
    }
    case 'tcp': {
      const local = endpointText(event.local.ip, event.local.port, event.family);
      const remote = endpointText(event.remote.ip, event.remote.port, event.family);
      const error = event.error === null ? '' : `  ${event.error}`;
      return `${event.role ?? ''} ${local} ${terminal.symbols.arrow} ${remote} ${event.lastState} in=${event.bytesReceived} out=${event.bytesSent}${error}`;
    }
    case 'work':
      return `${event.phase} ${event.object.toString(16)}`;
    case 'close':
      return `connection=${event.connection} in=${event.bytesIn} out=${event.bytesOut}`;
    case 'payload': {
      const size =
        event.captured === event.length ? `${event.length}` : `${event.captured} of ${event.length}`;
      return `connection=${event.connection} ${event.direction} at=${event.streamOffset} bytes=${size}  ${terminal.safe(event.preview)}`;
    }
    case 'action':
      return actionText(event, terminal);
    case 'open': {
      const flags = event.flags.join('|');
      const line = `${terminal.safe(event.resolvedPath === '' ? event.path : event.resolvedPath)}  ${flags}`;
      return event.error === null ? line : `${line}  ${event.error}`;
    }
  }
}
