import type { Style, Terminal } from '../output/text/terminal.ts';
import { lossText } from '../output/text/wording.ts';
import type { DoctorReport } from './contract.ts';
import { rowsOf } from './status-text.ts';

/** The doctor's report for people, in aligned sections. */
export function doctorText(report: DoctorReport, terminal: Terminal): string {
  const sections = [
    section('Versions', versionRows(report), terminal),
    section('Kernel features', featureRows(report, terminal), terminal),
    section('Attach plan', planRows(report, terminal), terminal),
    section('Containers by cgroup', cgroupRows(report, terminal), terminal),
    section('Container runtimes', runtimeRows(report, terminal), terminal),
    section('Running agents', agentRows(report, terminal), terminal),
    section('Losses', [['trial attach', lossText(report.losses, terminal) || 'none']], terminal),
    problemSection(report, terminal),
    verdictLine(report, terminal),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

type Row = readonly [label: string, text: string, ...below: string[]];

function versionRows(report: DoctorReport): Row[] {
  return [
    ['throughline', report.version],
    ['kernel', `${report.kernel} ${report.architecture}`],
    ['node', report.node],
    ['libbpf', report.libbpf ?? 'not found'],
  ];
}

function featureRows(report: DoctorReport, terminal: Terminal): Row[] {
  return report.features.map((feature) => {
    const detail = feature.detail === '' ? '' : `  ${terminal.safe(feature.detail, 200)}`;
    return [feature.name, answerMark(feature.answer, terminal) + detail];
  });
}

function answerMark(answer: DoctorReport['features'][number]['answer'], terminal: Terminal): string {
  const { yes, no, maybe } = terminal.symbols;
  const marks: Record<typeof answer, readonly [Style, string]> = {
    supported: ['green', `${yes} supported`],
    unsupported: ['red', `${no} unsupported`],
    inconclusive: ['yellow', `${maybe} inconclusive`],
  };
  const [style, text] = marks[answer];
  return terminal.paint(style, text.padEnd(14));
}

function planRows(report: DoctorReport, terminal: Terminal): Row[] {
  return report.plan.map((sensor) => {
    const chosen =
      sensor.chosen === null ? terminal.paint('yellow', 'not attached') : terminal.safe(sensor.chosen, 120);
    const reason =
      sensor.reason === '' ? '' : `  ${terminal.paint('dim', terminal.safe(sensor.reason, 300))}`;
    const weaker = sensor.weaker === '' ? [] : [`weaker: ${terminal.safe(sensor.weaker, 300)}`];
    const attachments = sensor.attachments.map((one) => terminal.safe(one, 120));
    return [sensor.sensor, chosen + reason, ...weaker, ...attachments];
  });
}

function cgroupRows({ cgroups }: DoctorReport, terminal: Terminal): Row[] {
  if (cgroups === null) return [];
  return [
    ['hierarchy', `${cgroups.hierarchy}  ${terminal.paint('dim', terminal.safe(cgroups.reason, 200))}`],
  ];
}

function agentRows({ agents }: DoctorReport, terminal: Terminal): Row[] {
  return agents.map((agent) => {
    const [first = '', ...rest] = rowsOf(agent, terminal).map((row) => row.trim());
    return [String(agent.pid), `since ${terminal.safe(agent.startedAt, 40)}`, first, ...rest];
  });
}

function runtimeRows(report: DoctorReport, terminal: Terminal): Row[] {
  if (report.containerRuntimes.length === 0)
    return [['sockets', 'none found: containers have ids, but no names']];
  return report.containerRuntimes.map(({ kind, path, version, problem }) => {
    const { yes, no } = terminal.symbols;
    const answer =
      version === null
        ? `${terminal.paint('red', no)} ${terminal.safe(problem, 200)}`
        : `${terminal.paint('green', yes)} ${terminal.safe(version, 80)}`;
    return [kind, `${answer}  ${terminal.paint('dim', terminal.safe(path, 200))}`];
  });
}

/** Rows with their labels in one column. Nothing where there are none. */
function section(title: string, rows: readonly Row[], terminal: Terminal): string {
  if (rows.length === 0) return '';
  const labels = rows.map(([label]) => terminal.safe(label, 60));
  const width = Math.max(...labels.map((label) => label.length)) + 2;
  const lines = rows.flatMap(([, text, ...below], index) => [
    `  ${(labels[index] ?? '').padEnd(width)}${text}`.trimEnd(),
    ...below.map((line) => terminal.paint('dim', `  ${' '.repeat(width)}  ${line}`)),
  ]);
  return [terminal.paint('bold', title), ...lines, ''].join('\n');
}

function problemSection(report: DoctorReport, terminal: Terminal): string {
  if (report.problems.length === 0) return '';
  const lines = report.problems.flatMap((problem) => [
    `  ${terminal.paint('red', terminal.safe(problem.code, 20))} ${terminal.safe(problem.message, 400)}`,
    `    ${terminal.symbols.arrow} ${terminal.safe(problem.hint, 400)}`,
  ]);
  return [terminal.paint('bold', 'Problems'), ...lines, ''].join('\n');
}

function verdictLine(report: DoctorReport, terminal: Terminal): string {
  const text = report.ok
    ? terminal.paint('green', 'Throughline can run here.')
    : terminal.paint('red', 'Throughline cannot run here.');
  return text + '\n';
}
