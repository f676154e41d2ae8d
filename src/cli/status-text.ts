import type { Terminal } from '../output/text/terminal.ts';
import type { AgentStatus } from './contract.ts';

const MEBIBYTE = 1024 * 1024;
const SHOWN_PROGRAMS = 10;

/** How agents do, for people. */
export function statusText(agents: readonly AgentStatus[], terminal: Terminal): string {
  if (agents.length === 0) return 'No agent runs on this host.\n';
  return agents.map((agent) => agentText(agent, terminal)).join('\n');
}

function agentText(agent: AgentStatus, terminal: Terminal): string {
  const stalled = agent.isStalled
    ? `, ${terminal.paint('red', agent.updatedAt === '' ? 'has said nothing yet' : `has said nothing since ${terminal.safe(agent.updatedAt, 40)}`)}`
    : '';
  return [
    terminal.paint('bold', `Agent ${agent.pid}`) + `, since ${terminal.safe(agent.startedAt, 40)}${stalled}`,
    ...rowsOf(agent, terminal),
    '',
  ].join('\n');
}

/** Without a heading. */
export function rowsOf(agent: AgentStatus, terminal: Terminal): string[] {
  const rows: [string, string][] = [
    ['processor', `${agent.cpuPercent.toFixed(1)} %, ${(agent.cpuMs / 1000).toFixed(1)} s in all`],
    ['memory', `${mebibytes(agent.residentBytes)} resident`],
    ['events', agent.events.toLocaleString('en-US')],
    ['findings', agent.findings.toLocaleString('en-US')],
    ...agent.rings.map(({ ring, waitingBytes, sizeBytes }): [string, string] => [
      `${terminal.safe(ring, 20)} ring`,
      `${((waitingBytes / sizeBytes) * 100).toFixed(1)} % of ${mebibytes(sizeBytes)} waiting`,
    ]),
    ['lost', countsText(agent.losses, terminal)],
    ...(Object.keys(agent.lostByKind).length === 0
      ? []
      : ([['of security events', countsText(agent.lostByKind, terminal)]] as [string, string][])),
    ['programs', programsText(agent, terminal)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.map(([label, text]) => `  ${label.padEnd(width)}${text}`);
}

function programsText({ programs }: AgentStatus, terminal: Terminal): string {
  if (programs === null) return 'not measured';
  const sum = programs.reduce((total, { cpuPercent }) => total + cpuPercent, 0);
  const shown = programs
    .slice(0, SHOWN_PROGRAMS)
    .map(
      ({ program, runsPerSecond, cpuPercent }) =>
        `\n    ${terminal.safe(program, 60)}: ${Math.round(runsPerSecond).toLocaleString('en-US')} runs a second, ${cpuPercent.toFixed(2)} %`,
    );
  return `${sum.toFixed(2)} % of a processor in the kernel${shown.join('')}`;
}

function countsText(counts: Readonly<Record<string, number>>, terminal: Terminal): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  if (entries.length === 0) return 'nothing';
  return entries
    .map(([name, count]) => `${terminal.safe(name, 60)} ${count.toLocaleString('en-US')}`)
    .join(', ');
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(0)} MiB`;
}
