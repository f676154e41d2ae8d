import { parseArgs } from 'node:util';

export const HELP = `Measures which share of effects is put on the request that caused it, on real servers. Needs root.

  make bench-attribution                                      all servers, three quarters of an hour; writes
  make bench-attribution ARGS='--requests 100 --rounds 1 --write'
                                                              all servers, about ten minutes; writes
  make bench-attribution ARGS='--runtime go --write'          one server; writes, and keeps what is there of the others
  make bench-attribution ARGS='--quick'                       rough, two concurrencies; writes no file

Written are docs/bench-attribution.json and, made from it, the tables of docs/ATTRIBUTION.md.

Options:
  --quick          fewer requests, two concurrencies
  --runtime NAME   only this server; may be given more than once
  --concurrency N  only so many requests at once; may be given more than once
  --requests N     requests of each load, also of those for throughput; at least two for each at once (default: 1000,
                   for throughput 800; quick: 150 and 400)
  --rounds N       rounds that measure the throughput (default: 4, quick: 2)
  --write          write the document also when this is not a run of everything
  --late           attach amid a load instead of before the server starts
  --keep           keep the recordings, also of what was all right
  --no-cost        do not measure throughput and system calls
  --cost-only      measure nothing else, and write it beside the figures that are there of those servers
  --json           print the result as one JSON object
  --list           print the names of the servers, and what is missing for them
  --help           this text
`;

export interface Sizes {
  readonly requests: number;
  readonly concurrencies: readonly number[];
  readonly costRounds: number;
  readonly costRequests: number;
  readonly measuresCost: boolean;
  readonly keepsRecordings: boolean;
  /** The server and its connections are there before the agent. */
  readonly attachesLate: boolean;
}

export interface Options {
  readonly sizes: Sizes;
  /** Names; empty for all. */
  readonly runtimes: readonly string[];
  readonly isJson: boolean;
  /** Whether the result goes into the document: a run of everything does, another one when it is asked for. */
  readonly isWritten: boolean;
  readonly task: 'measure' | 'cost' | 'help' | 'list';
  /** How to repeat it, for the report. */
  readonly command: string;
}

const FULL = { requests: 1000, concurrencies: [1, 8, 64, 256], costRounds: 4, costRequests: 800 } as const;
const QUICK = { requests: 150, concurrencies: [1, 64], costRounds: 2, costRequests: 400 } as const;

/** @throws for options that there are not */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      runtime: { type: 'string', multiple: true, default: [] },
      concurrency: { type: 'string', multiple: true, default: [] },
      requests: { type: 'string' },
      rounds: { type: 'string' },
      write: { type: 'boolean', default: false },
      late: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'no-cost': { type: 'boolean', default: false },
      'cost-only': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.write && values.late) throw new Error('--late measures something else: it cannot be written');
  if (values['no-cost'] && values['cost-only']) throw new Error('--no-cost and --cost-only leave nothing');
  const requests = values.requests === undefined ? null : count('requests', values.requests);
  const sizes = values.quick ? QUICK : FULL;
  const concurrencies = values.concurrency.map((text) => count('concurrency', text));
  return {
    sizes: {
      ...sizes,
      requests: requests ?? sizes.requests,
      costRounds: values.rounds === undefined ? sizes.costRounds : count('rounds', values.rounds),
      costRequests: requests ?? sizes.costRequests,
      concurrencies: concurrencies.length > 0 ? concurrencies : sizes.concurrencies,
      measuresCost: !values['no-cost'],
      keepsRecordings: values.keep,
      attachesLate: values.late,
    },
    runtimes: values.runtime,
    isJson: values.json,
    isWritten: values.write || args.every((arg) => arg === '--json' || arg === '--keep'),
    task: values.help ? 'help' : values.list ? 'list' : values['cost-only'] ? 'cost' : 'measure',
    command: args.length === 0 ? 'make bench-attribution' : `make bench-attribution ARGS='${args.join(' ')}'`,
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: not a number from 1 up: ${text}`);
  return value;
}
