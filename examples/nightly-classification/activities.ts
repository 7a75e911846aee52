/** The activities. The inbox is a folder of text files, a ticket each. */
import { activityInfo } from '@temporalio/activity';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { readResults, type FileRef, type Storage } from 'temporal-llm-jobs/client';
import { z } from 'zod';

const classification = z.object({ category: z.enum(['billing', 'bug', 'question']) });
const schema = z.toJSONSchema(classification);

export interface InboxActivities {
  /** Writes a request for each ticket; null if there are none. The schema is what every answer must fit. */
  takeInbox(inbox: string): Promise<{ requests: string; schema: Record<string, unknown> } | null>;
  /** @returns the URI of a file of `{ ticket, category }` */
  writeLabels(inbox: string, result: { output: FileRef | null; errors: FileRef | null }): Promise<string>;
  /** Deletes the tickets that have a label. */
  emptyInbox(labels: string): Promise<void>;
}

/** Beside the inbox, with a name that a repeated attempt uses again, and another night does not. */
function fileOf(inbox: string, name: string): string {
  return `${inbox.replace(/\/$/, '')}.${activityInfo().workflowExecution?.runId}.${name}.jsonl`;
}

export function inboxActivities(storage: Storage): InboxActivities {
  return {
    async takeInbox(inbox) {
      const { uri, lines } = await storage.write(fileOf(inbox, 'requests'), requests(storage, inbox));
      return lines === 0 ? null : { requests: uri, schema };
    },

    async writeLabels(inbox, result) {
      const lines = async function* () {
        for await (const answer of readResults(result, {
          storage,
          schema: classification,
          value: 'structuredOutput',
        })) {
          if (answer.ok) yield `${JSON.stringify({ ticket: answer.customId, ...answer.value })}\n`;
        }
      };
      return (await storage.write(fileOf(inbox, 'labels'), lines())).uri;
    },

    async emptyInbox(labels) {
      for await (const line of createInterface({ input: Readable.from(storage.read(labels)) })) {
        await storage.delete((JSON.parse(line) as { ticket: string }).ticket);
      }
    },
  };
}

async function* requests(storage: Storage, inbox: string): AsyncGenerator<string> {
  for await (const { uri } of storage.list(inbox.replace(/\/?$/, '/'))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of storage.read(uri)) chunks.push(chunk);
    const messages = [{ role: 'user', content: Buffer.concat(chunks).toString() }];
    const format = { type: 'json_schema', json_schema: { name: 'ticket', strict: true, schema } };
    const body = { model: 'gpt-5.4-mini', messages, response_format: format };
    yield `${JSON.stringify({ custom_id: uri, method: 'POST', url: '/v1/chat/completions', body })}\n`;
  }
}
