import { costOf, rulesWith } from './rule-costs.ts';
import type { Mix } from './rules-mix.ts';
import { madeUpConnections, madeUpMix } from './rules-mix.ts';
import type { Table } from './table.ts';

const COUNTS = [1, 64, 5000];
/** More patterns than these are no list that anybody has. */
const MOST_PATTERNS = 64;

interface Row {
  readonly title: string;
  readonly mix: Mix;
  /** A condition of so many terms that is true of no event. */
  readonly condition: (count: number) => string;
  readonly most?: number;
}

const word = (index: number) => `/opt/absent${index}/bin`;
const octets = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
const ipv6 = (index: number) => `"2001:db8:ffff:${index.toString(16)}::${(index * 7).toString(16)}"`;
const network = (index: number) =>
  index % 2 === 0
    ? `172.${16 + (index >> 9)}.${(index >> 1) & 255}.0/${22 + (index % 9)}`
    : `"2001:db9:${index.toString(16)}::/48"`;

function terms(count: number, term: (index: number) => string, joint: string): string {
  return Array.from({ length: count }, (_, index) => term(index)).join(joint);
}

const joined =
  (operator: string, form = word) =>
  (count: number) =>
    terms(count, (index) => `proc.exepath ${operator} ${form(index)}`, ' or ');
const listed =
  (check: string, form = word) =>
  (count: number) =>
    `${check} (${terms(count, form, ', ')})`;

function rows(): readonly Row[] {
  const mix = madeUpMix();
  const connections4 = madeUpConnections('ipv4');
  const connections6 = madeUpConnections('ipv6');
  const simple = ['=', 'contains', 'icontains', 'startswith', 'endswith'];
  return [
    ...simple.map((operator) => ({ title: operator, mix, condition: joined(operator) })),
    { title: 'in', mix, condition: listed('proc.exepath in') },
    { title: 'glob a*', mix, condition: joined('glob', (index) => `${word(index)}*`) },
    {
      title: 'glob a*b?c',
      mix,
      condition: joined('glob', (index) => `/opt*${word(index)}?x`),
      most: MOST_PATTERNS,
    },
    { title: 'pmatch', mix, condition: listed('proc.exepath pmatch') },
    { title: 'regex', mix, condition: joined('regex', (index) => `${word(index)}.*`), most: MOST_PATTERNS },
    {
      title: '!=, joined by and',
      mix,
      condition: (count) => `not (${terms(count, (index) => `proc.exepath != ${word(index)}`, ' and ')})`,
    },
    {
      title: 'exceptions of two fields',
      mix,
      condition: (count) =>
        `not (proc.pid > 0 and not (${terms(count, (index) => `(proc.exepath = ${word(index)} and proc.cwd = /x${index})`, ' or ')}))`,
    },
    { title: 'proc.aname in', mix, condition: listed('proc.aname in') },
    { title: 'proc.cmdline contains', mix, condition: listed('proc.cmdline contains anyof') },
    {
      title: 'fd.sport =, numbers',
      mix: connections4,
      condition: (count) => terms(count, (index) => `fd.sport = ${1000 + index}`, ' or '),
    },
    { title: 'fd.sip in, of IPv4', mix: connections4, condition: listed('fd.sip in', octets) },
    { title: 'fd.sip in, of IPv6', mix: connections6, condition: listed('fd.sip in', ipv6) },
    { title: 'fd.ip in, either end', mix: connections4, condition: listed('fd.ip in', octets) },
    { title: 'fd.snet in, of IPv4', mix: connections4, condition: listed('fd.snet in', network) },
    { title: 'fd.snet in, of IPv6', mix: connections6, condition: listed('fd.snet in', network) },
  ];
}

/** What conditions cost that are true of no event, beside what it costs to fill the event. */
export function conditionTable(): Table {
  // V8 optimises what all conditions share while the first of them run: they would be the slow ones.
  costOf(
    rulesWith(
      ...['=', 'contains', 'icontains', 'startswith', 'endswith', 'glob'].map((one) => joined(one)(8)),
    ),
    madeUpMix(),
  );
  return {
    title: 'Conditions',
    columns: [
      'ns an event',
      ...COUNTS.map((count) => (count === 1 ? '1 term' : `${count.toLocaleString('en')} terms`)),
    ],
    rows: rows().map(({ title, mix, condition, most = Infinity }) => {
      const empty = costOf(null, mix);
      const cells = COUNTS.map((count) =>
        count > most ? '' : Math.max(0, costOf(rulesWith(condition(count)), mix) - empty).toFixed(0),
      );
      return [title, ...cells];
    }),
  };
}
