import type { Listing } from './listing.ts';

/** One script, and the rules that are to fire while it runs. */
export interface Step {
  /** What it is about, for people. */
  readonly title: string;
  /** Name of its file, which also stands in the marks around it. */
  readonly name: string;
  readonly expected: readonly string[];
  readonly script: string;
  readonly where: 'host' | 'container';
  readonly as: string | null;
}

/** All that a listing says is to be done, in order. */
export function stepsOf({ before, operations, work }: Listing): Step[] {
  const steps: Omit<Step, 'name'>[] = [];
  const host = { where: 'host', as: null } as const;
  if (before !== '') steps.push({ ...host, title: 'what is needed', expected: [], script: before });
  for (const { rule, also, where, as, fires, quiet } of operations) {
    const expected = [rule, ...also].toSorted();
    steps.push({ title: `${rule}: fires`, expected, script: fires, where, as });
    steps.push({ title: `${rule}: quiet`, expected: [], script: quiet, where, as });
  }
  for (const { name, also, where, script } of work)
    steps.push({ title: name, expected: also.toSorted(), script, where, as: null });
  return steps.map((step, index) => ({ ...step, name: String(index).padStart(3, '0') }));
}

/** The files that the sandbox runs: of each step one with the marks around it, and one with what is done. */
export function filesOf(steps: readonly Step[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const { name, script, where, as } of steps) {
    const body = `/ops/scripts/${name}.body`;
    const who = as === null ? [] : ['setpriv', '--reuid', as, '--regid', as, '--clear-groups'];
    const command = [...who, '/bin/sh', '-e', body].join(' ');
    const placed = where === 'host' ? command : `/bin/sh -c 'echo $$ >/run/container; exec ${command}'`;
    files.set(`${name}.body`, `. /ops/prelude.sh\n${script}\n`);
    files.set(
      name,
      `/bin/true operation begins ${name}\nstatus=0\n${placed} || status=$?\n/bin/true operation ends ${name}\nexit $status\n`,
    );
  }
  return files;
}
