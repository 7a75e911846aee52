/** The budget as its page in the Temporal UI shows it. */
import { CAPACITY_UNITS, type CapacityRecord, type CapacityUnit } from '../../contract/token-budget.js';
import { inMarkdown } from '../../contract/text.js';
import { iso } from '../lifecycle/time.js';
import type { Ledger, Limit } from './ledger.js';
import { groupBy, groupOf } from './records.js';

/** Models, and groups of each, that are shown. */
const MAX_ROWS = 20;

const WHENCE: Readonly<Record<NonNullable<Limit['whence']>, string>> = {
  spec: 'set by a spec',
  message: 'named by the provider',
  inferred: 'inferred from a refusal',
};

export function describeBudget(ledger: Ledger, isEnding: boolean, now: number): string {
  const { leases, queue, reservedShare, pauses } = ledger.state;
  const models = [...new Set([...leases, ...queue].map(({ model }) => model))];
  const lines = ['### Enqueued at the provider', ''];
  if (isEnding) lines.push('A cancel was requested. The budget ends when nothing is enqueued any more.', '');
  if (reservedShare > 0) lines.push(`${percent(reservedShare)} of each limit is left to other users.`, '');
  lines.push(...describeCreates(ledger, now));
  if (models.length === 0) return [...lines, 'Nothing is enqueued.'].join('\n');
  lines.push('| Model | Enqueued | Limit | Waiting parts | Shares |', '| --- | --- | --- | --- | --- |');
  for (const model of models.slice(0, MAX_ROWS)) {
    const isOfModel = (record: CapacityRecord) => record.model === model;
    const waiting = queue.filter(isOfModel).length;
    const pause = pauses.find(({ until, model: paused }) => paused === model && until > now);
    const cells = [
      inMarkdown(model),
      CAPACITY_UNITS.map((unit) => counted(ledger.enqueuedOf(model)[unit], unit)).join(', '),
      describeLimits(ledger, model),
      pause ? `${waiting}, paused after a refusal` : `${waiting}`,
      describeShares(leases.filter(isOfModel), ledger.enqueuedOf(model).tokens),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  if (models.length > MAX_ROWS) lines.push('', `And ${models.length - MAX_ROWS} more models.`);
  return lines.join('\n');
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
  return `room for ${model}: ${enqueued[full].toLocaleString('en-US')} of ${counted(value, full)} are enqueued`;
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

function describeShares(leases: readonly CapacityRecord[], tokens: number): string {
  const groups = [...groupBy(leases, groupOf)].map(([group, held]) => {
    const own = held.reduce((sum, lease) => sum + lease.tokens, 0);
    const share = tokens === 0 ? '' : ` ${percent(own / tokens)}`;
    const { isCounted = false, weight = 1 } = held[0]!;
    return `${inMarkdown(group, 80)}${share}${isCounted ? ' (not asked for)' : ` (priority ${weight})`}`;
  });
  const others = groups.length - MAX_ROWS;
  return [...groups.slice(0, MAX_ROWS), ...(others > 0 ? [`and ${others} more`] : [])].join('<br>');
}

const counted = (count: number, unit: CapacityUnit): string => `${count.toLocaleString('en-US')} ${unit}`;
const time = (ms: number): string => iso(Math.ceil(ms / 1_000));
const percent = (share: number): string => `${Math.round(share * 100)} %`;
