/** The activities: only they read and write files. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { readResults, type BatchRequest, type FileRef, type Storage } from 'temporal-llm-jobs/client';
import { z } from 'zod';

const LABELS = ['billing', 'bug', 'question'] as const;
const exampleSchema = z.object({ text: z.string(), label: z.enum(LABELS) });
const answerSchema = z.object({ label: z.enum(LABELS) });

/** Share of right answers, by model. */
export type Scores = Readonly<Record<string, number>>;

export interface EvaluationActivities {
  /** Writes one request for each held-out text and model. @returns the URI of the file */
  writeQuestions(heldOut: string, models: readonly string[]): Promise<string>;
  score(heldOut: string, result: { output: FileRef | null; errors: FileRef | null }): Promise<Scores>;
}

export function evaluationActivities(storage: Storage): EvaluationActivities {
  return {
    async writeQuestions(heldOut, models) {
      const lines = async function* () {
        for await (const { text, number } of examples(storage, heldOut)) {
          for (const model of models) yield `${JSON.stringify(question(model, number, text))}\n`;
        }
      };
      const { uri } = await storage.write(`${heldOut}.questions.jsonl`, lines());
      return uri;
    },

    async score(heldOut, result) {
      const expected = new Map<string, string>();
      for await (const { label, number } of examples(storage, heldOut)) expected.set(String(number), label);
      const right: Record<string, number> = {};
      for await (const answer of readResults(result, { storage, schema: answerSchema, value: 'structuredOutput' })) {
        const { number, model } = partsOf(answer.customId);
        const isRight = answer.ok && answer.value.label === expected.get(number);
        right[model] = (right[model] ?? 0) + (isRight ? 1 : 0);
      }
      return Object.fromEntries(Object.entries(right).map(([model, count]) => [model, count / expected.size]));
    },
  };
}

function question(model: string, number: number, text: string): BatchRequest {
  const messages = [
    { role: 'system', content: `Label the ticket: ${LABELS.join(', ')}.` },
    { role: 'user', content: text },
  ];
  const format = { name: 'label', strict: true, schema: z.toJSONSchema(answerSchema) };
  const body = { model, messages, response_format: { type: 'json_schema', json_schema: format } };
  return { custom_id: `${number}@${model}`, method: 'POST', url: '/v1/chat/completions', body };
}

function partsOf(customId: string): { number: string; model: string } {
  const at = customId.indexOf('@');
  return { number: customId.slice(0, at), model: customId.slice(at + 1) };
}

async function* examples(storage: Storage, uri: string) {
  let number = 0;
  for await (const line of createInterface({ input: Readable.from(storage.read(uri)) })) {
    number += 1;
    yield { number, ...exampleSchema.parse(JSON.parse(line)) };
  }
}
