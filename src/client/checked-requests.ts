/** Requests on their way from the application to storage: each is checked before a run is started with them. */
import type { BatchRequest } from '../contract/batch.js';
import type { FaultReport } from '../contract/input-fault.js';
import { FaultCollector, quoted } from '../jsonl/fault-collector.js';
import { IdsByLine } from '../jsonl/id-table.js';
import { jsonLines } from '../jsonl/json-lines.js';
import { lineBlocks } from '../jsonl/lines.js';
import { requestCheck, type RequestRules } from '../requests/check-request.js';

/** So many faulty requests end the reading: an iterable may be slow, or never end. */
const ENOUGH_FAULTS = 20;

export class FaultyRequestsError extends Error {
  override readonly name = 'FaultyRequestsError';
  readonly report: FaultReport;

  constructor(report: FaultReport) {
    super('the requests have faults');
    this.report = report;
  }
}

/**
 * The requests as JSONL.
 *
 * @throws FaultyRequestsError behind the last request, or after many faulty ones; a line is the number of a request
 */
export async function* checkedRequests(
  requests: AsyncIterable<BatchRequest> | Iterable<BatchRequest>,
  rules: Pick<RequestRules, 'endpoint' | 'missingCustomIds'>,
): AsyncGenerator<Uint8Array> {
  const check = requestCheck({ ...rules, missingFields: 'complete', limits: {} });
  const faults = new FaultCollector();
  const ids = new IdsByLine();
  let faulty = 0;
  let number = 0;
  for await (const lines of lineBlocks(encoded(withMethod(requests)))) {
    for (const line of lines) {
      number = line.number;
      const checked = check(line, number);
      if (checked.customId !== null) ids.push(checked.customId, number);
      for (const { message, field } of checked.faults ?? []) faults.addToLine(number, message, field);
      if (checked.faults) faulty += 1;
      if (faulty === 0) yield Buffer.concat([line.bytes, NEWLINE]);
    }
    if (faulty >= ENOUGH_FAULTS) break;
  }
  ids.findDuplicates((line, first, id) => {
    faults.addToLine(line, `duplicate custom_id ${quoted(id())} (first at request ${first})`, 'custom_id');
  });
  if (number === 0) faults.addToFile('no requests');
  if (!faults.isEmpty) throw new FaultyRequestsError(faults.report());
}

const NEWLINE = Buffer.from('\n');

/** Files need the method that the API requires, while a request may leave it out. */
async function* withMethod(
  requests: AsyncIterable<BatchRequest> | Iterable<BatchRequest>,
): AsyncGenerator<BatchRequest> {
  for await (const request of requests) yield { method: 'POST', ...request };
}

async function* encoded(requests: AsyncIterable<BatchRequest>): AsyncGenerator<Uint8Array> {
  for await (const line of jsonLines(requests)) yield Buffer.from(line);
}
