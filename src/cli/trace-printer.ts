import { RouteTable } from '../output/route-table.ts';
import { routeTableText, totalsText } from '../output/text/trace-summary.ts';
import { TraceView, type TraceMessage } from '../output/text/trace-view.ts';
import { countText } from '../output/text/wording.ts';
import { TraceTotals } from '../output/trace-totals.ts';
import type { CliConsole } from './console.ts';

/** Prints requests and what they did, in one of several ways. */
export interface TracePrinter {
  add(message: TraceMessage): void;
  /** Gives a line of progress; null for none. */
  tick(): string | null;
  /** Prints what was held back; gives lines for the summary. */
  end(): string;
}

export interface TracePrinterOptions {
  readonly json: boolean;
  readonly all: boolean;
  readonly summary: boolean;
}

export function tracePrinter(console: CliConsole, options: TracePrinterOptions): TracePrinter {
  if (options.summary) return routePrinter(console, options);
  return options.json ? linePrinter(console) : treePrinter(console, options.all);
}

/** Each request as a tree. */
function treePrinter(console: CliConsole, showsAll: boolean): TracePrinter {
  const view = new TraceView(console.stdoutTerminal, { showsAll });
  const totals = new TraceTotals();
  const print = (text: string): void => {
    if (text !== '') console.result(text);
  };
  return {
    add(message) {
      totals.add(message);
      print(view.add(message));
    },
    tick() {
      print(view.tick());
      return null;
    },
    end() {
      print(view.end());
      return totalsText(totals, console.stderrTerminal);
    },
  };
}

/** Each message as a line of JSON, as it comes. */
function linePrinter(console: CliConsole): TracePrinter {
  const totals = new TraceTotals();
  return {
    add(message) {
      totals.add(message);
      console.json(message);
    },
    tick: () => null,
    end: () => totalsText(totals, console.stderrTerminal),
  };
}

/** One row for each route, at the end. */
function routePrinter(console: CliConsole, { json, all }: TracePrinterOptions): TracePrinter {
  const table = new RouteTable();
  return {
    add: (message) => table.add(message),
    tick: () => `${countText(table.requestCount, 'request')} to ${countText(table.routeCount, 'route')}`,
    end() {
      const rows = table.rows();
      if (json) for (const row of rows) console.json(row);
      else console.result(routeTableText(rows, console.stdoutTerminal, { showsAll: all }));
      return '';
    },
  };
}
