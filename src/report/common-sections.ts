/** What reports of several kinds of runs show. */
import { html } from 'hono/html';
import type { LineCounts, TokenUsage } from '../contract/batch.js';
import { factsOf } from '../contract/failure-facts.js';
import type { FileRef } from '../contract/file-ref.js';
import type { Cancellation, CommonProgress } from '../contract/progress.js';
import type { FailureReasons } from './failure-reasons.js';
import { code, count, duration, facts, iso, nothing, paragraph, section, table, type Html } from './html.js';
import type { ReportedCost, ReportedRun } from './report.js';

/** What the run is, and how it stands. */
export function runFacts(run: ReportedRun, progress: CommonProgress | null): Html {
  const { runStatus, startedAt, endedAt, madeAt, spec } = run;
  const isOpen = endedAt === null && runStatus !== null;
  return facts([
    ['Run', runStatus === null ? 'no longer known to Temporal' : runStatus.toLowerCase().replaceAll('_', ' ')],
    ['Phase', isOpen && progress ? progress.phase : null],
    ['Started', iso(startedAt)],
    ['Ended', iso(endedAt)],
    ['Took', startedAt === null || (endedAt === null && !isOpen) ? null : duration((endedAt ?? madeAt) - startedAt)],
    ['Model', codeOrNull(spec.model)],
    ['Endpoint', codeOrNull(spec.endpoint)],
    ['Input', codeOrNull(spec.input)],
    ['Provider', codeOrNull(spec.provider)],
  ]);
}

export const codeOrNull = (text: string | null): Html | null => (text === null || text === '' ? null : code(text));

export function failureSection({ failure }: ReportedRun): Html {
  if (failure === null) return nothing();
  const { faults, others, ids } = factsOf(failure);
  const rows = faults.map(({ line, names, message }) => [
    line ?? '',
    html`${names.map((name) => html`${code(name)} `)}`,
    message ?? 'no message',
  ]);
  return section(
    'Why it failed',
    html`<div class="failure">
      <p><strong>${failure.type}</strong>: ${failure.message}</p>
      ${table('The first faults', ['line', 'what', 'message'], rows)}
      ${others > 0 ? paragraph(`and ${count(others)} more, in the details of the failure`) : nothing()}
      ${facts(ids.map(([label, text]) => [label, code(text)]))}
      ${failure.next === null ? nothing() : html`<p><strong>What next:</strong> ${failure.next}</p>`}
    </div>`,
  );
}

export function countsSection(lines: LineCounts): Html {
  const total = lines.succeeded + lines.failed + lines.unfinished + lines.missing;
  const rows = Object.entries(lines).map(([name, requests]) => [name, requests, share(requests, total)]);
  return section(
    'Requests',
    table('How the requests ended', ['outcome', 'requests', 'share'], [...rows, ['all', total, '']]),
  );
}

const share = (part: number, total: number): string => (total === 0 ? '' : `${((100 * part) / total).toFixed(1)} %`);

/** @param reasons null where they could not be read */
export function reasonsSection(reasons: FailureReasons | null): Html {
  if (reasons === null || reasons.reasons.length === 0) return nothing();
  const rows = reasons.reasons.map(({ code: name, status, requests, message, example }) => [
    requests,
    codeOrNull(name) ?? '',
    status === null ? '' : String(status),
    message,
    code(example),
  ]);
  return section(
    'Why requests have no answer',
    table(
      'By their reason, with the first request of each',
      ['requests', 'code', 'status', 'message', 'custom_id'],
      rows,
    ),
    reasons.others > 0 ? paragraph(`${count(reasons.others)} more for other reasons`) : nothing(),
  );
}

/** Usage by model, and what it cost. */
export function usageSection(usage: Readonly<Record<string, TokenUsage>>, cost: ReportedCost | null): Html {
  const costs = new Map(cost?.byModel);
  const rows = Object.entries(usage).map(([model, used]) => [
    code(model),
    used.inputTokens,
    used.cachedTokens,
    used.outputTokens,
    used.reasoningTokens,
    used.totalTokens,
    ...(cost === null ? [] : [costs.get(model) ?? 'no price']),
  ]);
  const head = [
    'model',
    'input',
    'of it cached',
    'output',
    'of it reasoning',
    'total',
    ...(cost === null ? [] : ['cost']),
  ];
  return section('Usage and cost', table('Tokens that were paid for', head, rows), costFacts(cost));
}

export function costFacts(cost: ReportedCost | null): Html {
  if (cost === null) {
    return html`<p class="soft">No cost: neither the spec nor the configuration has prices for it.</p>`;
  }
  const without = cost.unpriced.length === 0 ? '' : `, without ${cost.unpriced.join(', ')}`;
  return facts([['Cost', `${count(cost.total)}, ${cost.basis}${without}`]]);
}

export function filesSection(files: readonly (readonly [name: string, file: FileRef | null])[]): Html {
  const rows = files.flatMap(([name, file]) =>
    file === null ? [] : [[name, code(file.uri), file.lines, file.bytes, code(file.sha256.slice(0, 12))]],
  );
  if (rows.length === 0) return nothing();
  return section('Files', table('In the storage', ['file', 'URI', 'lines', 'bytes', 'SHA-256'], rows));
}

export function cancellationText(cancellation: Cancellation | null | undefined): string | null {
  if (!cancellation) return null;
  const { by, reason, at } = cancellation;
  return `by ${by} at ${iso(at)}${reason === null ? '' : `: ${reason}`}`;
}

/** What people should know, and what the report lacks. */
export function warningsSection(warnings: readonly string[], progress: CommonProgress | null): Html {
  const { attention = null } = progress ?? {};
  const all = [
    ...(attention === null
      ? []
      : [`Refused since ${iso(attention.since)} (${attention.operation}): ${attention.message}`]),
    ...warnings,
  ];
  if (all.length === 0) return nothing();
  return section(
    'Warnings',
    html`<ul>
      ${all.map((text) => html`<li>${text}</li>`)}
    </ul>`,
  );
}
