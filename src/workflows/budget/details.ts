/** The budget as its page in the Temporal UI shows it. */
import { CAPACITY_UNITS, type CapacityRecord, type CapacityUnit } from '../../contract/token-budget.js';
import { code } from '../details/markdown.js';
import { iso } from '../lifecycle/time.js';
import type { Ledger, Limit } from './ledger.js';
import { groupBy, groupOf } from './records.js';

/** Models, and groups of each, that are shown. */
const MAX_ROWS = 20;

/** Groups that a waiting part is told. */
const MAX_HOLDERS = 3;

const WHENCE: Readonly<Record<NonNullable<Limit['whence']>, string>> = {
  spec: 'set by a spec',
  message: 'named by the provider',
  inferred: 'inferred from a refusal',
};

export function describeBudget(ledger: Ledger, isEnding: boolean, now: number): string {
  const { leases, queue, reservedShare } = ledger.state;
  const models = [...new Set([...leases, ...queue].map(({ model }) => model))];
  const lines = ['### Enqueued at the provider', ''];
  if (isEnding) lines.push('A cancel was requested. The budget ends when nothing is enqueued any more.', '');
  if (reservedShare > 0) lines.push(`${percent(reservedShare)} of each limit is left to other users.`, '');
  lines.push(...describeCreates(ledger, now));
  if (models.length === 0) return [...lines, 'Nothing is enqueued.'].join('\n');
  for (const model of models.slice(0, MAX_ROWS)) lines.push(...describeModel(ledger, model, now));
  if (models.length > MAX_ROWS) lines.push(`- and ${models.length - MAX_ROWS} more models`);
  return lines.join('\n');
}

function describeModel(ledger: Ledger, model: string, now: number): string[] {
  const { leases, queue, pauses } = ledger.state;
  const waiting = queue.filter((part) => part.model === model);
  const pause = pauses.find(({ until, model: paused }) => paused === model && until > now);
  const enqueued = CAPACITY_UNITS.map((unit) => counted(ledger.enqueuedOf(model)[unit], unit)).join(', ');
  const groups = groupsOf(
    leases.filter((lease) => lease.model === model),
    ledger.enqueuedOf(model).tokens,
  );
  const others = groups.length - MAX_ROWS;
  return [
    `- ${code(model, 100)}: ${enqueued} enqueued; limit: ${describeLimits(ledger, model)}`,
    ...(waiting.length > 0 ? [`  - ${describeWaiting(waiting)}`] : []),
    ...(pause ? [`  - paused until ${time(pause.until)}, after a refusal`] : []),
    ...groups.slice(0, MAX_ROWS).map(({ group, share, terms }) => `  - ${code(group, 300)}:${share} ${terms}`),
    ...(others > 0 ? [`  - and ${others} more`] : []),
  ];
}

function describeWaiting(waiting: readonly { readonly at: number }[]): string {
  const since = Math.min(...waiting.map(({ at }) => at));
  const who = waiting.length === 1 ? '1 part waits' : `${waiting.length.toLocaleString('en-US')} parts wait`;
  return `${who}, since ${time(since)}`;
}

/** What a part waits for; null where it does not wait. */
export function describeWait(ledger: Ledger, lease: string, now: number): string | null {
  const { queue, pauses } = ledger.state;
  const part = queue.find((waiting) => waiting.lease === lease);
  if (!part) return null;
  const { model } = part;
  const pause = pauses.find(({ until, model: paused }) => paused === model && until > now);
  if (pause) {
    return `room for ${model}: the provider refused a batch, and the next may be created at ${time(pause.until)}`;
  }
  const { rate } = ledger;
  const [limit, next] = [(rate.limit ?? 0).toLocaleString('en-US'), time(rate.freeAt(now))];
  if (!rate.isFree(now)) return `the limit of ${limit} creates an hour; the next is possible at ${next}`;
  const enqueued = ledger.enqueuedOf(model);
  const full = CAPACITY_UNITS.find((unit) => enqueued[unit] + (part[unit] ?? 0) > ledger.limitOf(model, unit).value);
  if (full === undefined) return `its turn among the parts for ${model}`;
  const { value } = ledger.limitOf(model, full);
  const [amount, since] = [enqueued[full].toLocaleString('en-US'), time(part.at)];
  const holders = groupsOf(
    ledger.state.leases.filter((held) => held.model === model),
    enqueued.tokens,
  ).map(({ group, share }) => `${group}${share}`);
  const others = holders.length > MAX_HOLDERS ? ` and ${holders.length - MAX_HOLDERS} more` : '';
  const whose = holders.length === 0 ? '' : ` by ${holders.slice(0, MAX_HOLDERS).join(', ')}${others}`;
  return `room for ${model} since ${since}: ${amount} of ${counted(value, full)} are enqueued${whose}`;
}

function describeCreates({ rate }: Ledger, now: number): string[] {
  if (rate.limit === null) return [];
  const [recent, limit] = [rate.recent(now), rate.limit].map((count) => count.toLocaleString('en-US'));
  const next = rate.isFree(now) ? '' : ` The next one is possible at ${time(rate.freeAt(now))}.`;
  return [`Batches created within an hour: ${recent} of ${limit}.${next}`, ''];
}

function describeLimits(ledger: Ledger, model: string): string {
  const known = CAPACITY_UNITS.flatMap((unit) => {
    const { value, whence } = ledger.limitOf(model, unit);
    return whence === null ? [] : [`${counted(value, unit)} (${WHENCE[whence]})`];
  });
  return known.length === 0 ? 'unknown' : known.join(', ');
}

interface GroupShare {
  readonly group: string;
  /** Such as ` 80 %`; empty where no tokens are enqueued. */
  readonly share: string;
  readonly terms: string;
}

const sizeOf = (held: readonly CapacityRecord[]): number => held.reduce((sum, lease) => sum + lease.tokens, 0);

/** Who has how much of the tokens, the largest share first. */
function groupsOf(leases: readonly CapacityRecord[], tokens: number): GroupShare[] {
  const groups = [...groupBy(leases, groupOf)].toSorted(([, a], [, b]) => sizeOf(b) - sizeOf(a));
  return groups.map(([group, held]) => {
    const { isCounted = false, weight = 1 } = held[0]!;
    const share = tokens === 0 ? '' : ` ${percent(sizeOf(held) / tokens)}`;
    return { group, share, terms: isCounted ? '(not asked for)' : `(priority ${weight})` };
  });
}

const counted = (count: number, unit: CapacityUnit): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? unit.slice(0, -1) : unit}`;
const time = (ms: number): string => iso(Math.ceil(ms / 1_000));
const percent = (share: number): string => `${Math.round(share * 100)} %`;
