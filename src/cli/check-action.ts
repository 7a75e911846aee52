/** What `llm-jobs check` does. It needs neither a server nor a key. */
import type { BatchInputReport } from '../requests/check-input.js';
import { checkBatchInput } from '../requests/check-input.js';
import { BATCH_LIMITS } from '../contract/limits.js';
import { endpointIn, inputFile } from './input-file.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { workersStorage, type ConfigOptions } from './workers-storage.js';

export interface CheckOptions extends ConfigOptions {
  readonly endpoint?: string;
  readonly json?: boolean;
}

export async function check(io: Io, file: string, options: CheckOptions): Promise<void> {
  const input = await inputFile(file, await workersStorage(options));
  const endpoint = options.endpoint ?? (await endpointIn(input));
  if (endpoint === undefined) {
    throw new CommandError(
      EXIT_CODES.usage,
      'the first line has no url',
      'Name the endpoint: --endpoint /v1/responses',
    );
  }
  const report = await checkBatchInput(input.read(), { endpoint });
  const lines = options.json ? [JSON.stringify({ endpoint, ...report })] : reportText(endpoint, report);
  for (const line of lines) io.out(line);
  if (report.faults.total > 0) io.exit(EXIT_CODES.usage);
}

function reportText(
  endpoint: string,
  { requests, bytes, model, estimatedTokens, faults: { faults, total } }: BatchInputReport,
): string[] {
  const parts = Math.max(Math.ceil(requests / BATCH_LIMITS.requests), Math.ceil(bytes / BATCH_LIMITS.bytes), 1);
  return [
    `requests  ${requests.toLocaleString('en-US')} for ${endpoint}`,
    `model     ${model ?? 'none is named'}`,
    `size      ${bytes.toLocaleString('en-US')} bytes`,
    `tokens    about ${estimatedTokens.toLocaleString('en-US')} in the prompts, by their length`,
    `fits      ${parts === 1 ? 'one batch' : `no single batch; as a bulk, ${parts} or more`}`,
    ...(total === 0
      ? ['faults    none']
      : [`faults    ${total}${total > faults.length ? ', of which the first are' : ''}`]),
    ...faults.map(({ line, field, message }) =>
      [line === undefined ? null : `  line ${line}`, field ?? null, message].filter((text) => text !== null).join(': '),
    ),
  ];
}
