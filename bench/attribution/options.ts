import { parseArgs } from 'node:util';

export const HELP = `Measures which share of effects is put on the request that caused it, on real servers. Needs root.

  make bench-attribution                             all servers, about half an hour; writes docs/ATTRIBUTION.md
  make bench-attribution ARGS='--quick'              about five minutes, rough; writes no file
  make bench-attribution ARGS='--runtime go'         one server; writes no file

Options:
  --quick          fewer requests, two concurrencies
  --runtime NAME   only this server; may be given more than once
  --concurrency N  only so many requests at once; may be given more than once
  --requests N     requests of each load (default: 1000, quick: 150)
  --late           attach amid a load instead of before the server starts
  --keep           keep the recordings, also of what was all right
  --no-cost        do not measure throughput and system calls
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
  /** Only a run of everything may write the document. */
  readonly isFull: boolean;
  readonly task: 'measure' | 'help' | 'list';
  /** How to repeat it, for the report. */
  readonly command: string;
}

const FULL = { requests: 1000, concurrencies: [1, 8, 64, 256], costRounds: 4, costRequests: 1500 } as const;
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
      late: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'no-cost': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const sizes = values.quick ? QUICK : FULL;
  const concurrencies = values.concurrency.map((text) => count('concurrency', text));
  return {
    sizes: {
      ...sizes,
      requests: values.requests === undefined ? sizes.requests : count('requests', values.requests),
      concurrencies: concurrencies.length > 0 ? concurrencies : sizes.concurrencies,
      measuresCost: !values['no-cost'],
      keepsRecordings: values.keep,
      attachesLate: values.late,
    },
    runtimes: values.runtime,
    isJson: values.json,
    isFull: args.every((arg) => arg === '--json' || arg === '--keep'),
    task: values.help ? 'help' : values.list ? 'list' : 'measure',
    command: args.length === 0 ? 'make bench-attribution' : `make bench-attribution ARGS='${args.join(' ')}'`,
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: not a number from 1 up: ${text}`);
  return value;
}
