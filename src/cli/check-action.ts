/** What `llm-jobs check` does. It needs neither a server nor a key. */
import { priceTableSchema, type PriceTable } from '../config/prices.js';
import { storageOf } from '../config/worker-config.js';
import { BATCH_LIMITS } from '../contract/limits.js';
import { describeFaults, parseSpec } from '../contract/parse-spec.js';
import { checkBatchInput } from '../requests/check-input.js';
import { splitRequests } from '../requests/split.js';
import { decompressed } from '../storage/gzip.js';
import { checkText, type CheckReport } from './check-text.js';
import { estimate } from './estimate.js';
import { endpointIn, inputFile, type InputFile } from './input-file.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { jsonFile } from './json-file.js';
import { commonConfig, type ConfigOptions } from './workers-storage.js';

export interface CheckOptions extends ConfigOptions {
  readonly endpoint?: string;
  readonly bulk?: boolean;
  /** A JSON file. @default the prices of the configuration */
  readonly prices?: string;
  readonly json?: boolean;
}

export async function check(io: Io, file: string, options: CheckOptions): Promise<void> {
  const config = await commonConfig(options);
  const prices = options.prices === undefined ? config.prices : await pricesIn(options.prices);
  const input = await inputFile(file, storageOf(config));
  const bulk = await splitOf(input, options.endpoint);
  const report: CheckReport = {
    endpoint: null,
    estimatedTokens: null,
    ...bulk,
    ...(options.bulk ? {} : await checkAsBatch(input, options.endpoint)),
    models: await estimate(decompressed(input.read(), file), prices),
  };
  const lines = options.json ? [JSON.stringify(report)] : checkText(report, Object.keys(prices).length > 0);
  for (const line of lines) io.out(line);
  if (report.faults.total > 0) io.exit(EXIT_CODES.usage);
}

async function checkAsBatch(input: InputFile, given: string | undefined) {
  const endpoint = given ?? (await endpointIn(input));
  if (endpoint === undefined) {
    const next = 'Name the endpoint: --endpoint /v1/responses';
    throw new CommandError(EXIT_CODES.usage, 'the first line has no url', next);
  }
  const { requests, bytes, estimatedTokens, faults } = await checkBatchInput(input.read(), { endpoint });
  return { endpoint, requests, bytes, estimatedTokens, faults };
}

/** Splits as a bulk batch would, and writes nothing. */
async function splitOf({ uri, read }: InputFile, endpoint: string | undefined) {
  let bytes = 0;
  const sized = async function* () {
    for await (const chunk of read()) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  };
  const { requests, parts, faults } = await splitRequests([{ uri, open: () => decompressed(sized(), uri) }], {
    limits: BATCH_LIMITS,
    missingCustomIds: 'refuse',
    ...(endpoint !== undefined && { endpoint }),
    writePart: async (_, content) => {
      await drained(content);
      return { uri, bytes: 0, lines: 0, sha256: '' };
    },
  });
  return { requests, bytes, parts: faults.total > 0 ? null : parts.length, faults };
}

async function drained(content: AsyncIterable<Uint8Array>): Promise<void> {
  const iterator = content[Symbol.asyncIterator]();
  while (!(await iterator.next()).done);
}

async function pricesIn(path: string): Promise<PriceTable> {
  const { spec, report } = parseSpec(priceTableSchema, await jsonFile('--prices', path));
  if (!report) return spec;
  const next = 'It has for each model: {"gpt-4o-mini": {"input": 0.075, "output": 0.3}}, in USD for a million tokens.';
  throw new CommandError(EXIT_CODES.usage, `--prices ${path}: ${describeFaults(report)}`, next);
}
