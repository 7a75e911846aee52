/** The input of a run, as its spec names it. */
import type { WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';
import { jsonLines } from '../jsonl/json-lines.js';
import type { LineSource } from '../jsonl/lines.js';
import { decompressed } from '../storage/gzip.js';
import type { Storage } from '../storage/storage.js';
import { CommandError, EXIT_CODES } from './io.js';
import type { NamedRun, Session } from './session.js';

const specSchema = z.object({
  input: z.union([
    z.object({ uri: z.string() }),
    z.object({ uris: z.array(z.string()) }),
    z.object({ prefix: z.string() }),
    z.object({ requests: z.array(z.record(z.string(), z.unknown())) }),
    z.object({ fileId: z.string() }),
  ]),
});

/** @throws CommandError if the input is a file at the provider */
export async function inputOf(session: Session, { run }: NamedRun, storage: Storage): Promise<LineSource[]> {
  const { input } = specSchema.parse(await argumentOf(session, run.handle));
  if ('requests' in input) return [{ uri: 'the spec', open: () => bytesOf(jsonLines(input.requests)) }];
  if ('fileId' in input) {
    const message = `the input of the run "${run.workflowId}" is a file at the provider, ${input.fileId}`;
    throw new CommandError(EXIT_CODES.refused, message, 'Read the results without --with-input.');
  }
  const uris = 'uri' in input ? [input.uri] : 'uris' in input ? input.uris : await urisUnder(storage, input.prefix);
  return uris.map((uri) => ({ uri, open: () => decompressed(storage.read(uri), uri) }));
}

async function urisUnder(storage: Storage, prefix: string): Promise<string[]> {
  const uris: string[] = [];
  for await (const { uri } of storage.list(prefix)) uris.push(uri);
  return uris;
}

async function* bytesOf(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}

/** The first argument of a run. */
export async function argumentOf({ jobs: { client } }: Session, { workflowId }: WorkflowHandle): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const { payloadConverter, payloadCodecs } = client.options.loadedDataConverter;
  let decoded = payloads;
  for (const codec of payloadCodecs.toReversed()) decoded = await codec.decode(decoded);
  return decoded[0] ? payloadConverter.fromPayload(decoded[0]) : undefined;
}
