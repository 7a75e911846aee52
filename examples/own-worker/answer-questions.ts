/** A workflow of our own. It starts a batch as its child, and is cancelled with it. */
import { executeChild } from '@temporalio/workflow';
import type { runBatch } from 'temporal-llm-jobs/workflows';

export interface Answers {
  readonly answered: number;
  readonly asked: number;
  /** URI of the file with the answers; null if there are none. */
  readonly uri: string | null;
}

export async function answerQuestions(questions: readonly string[]): Promise<Answers> {
  const requests = questions.map((content, index) => ({
    custom_id: `question-${index + 1}`,
    url: '/v1/chat/completions',
    body: { model: 'gpt-5.4-mini', messages: [{ role: 'user', content }] },
  }));
  const { lines, output } = await executeChild<typeof runBatch>('runBatch', {
    args: [{ input: { requests }, endpoint: '/v1/chat/completions', deadline: '20h' }],
    parentClosePolicy: 'REQUEST_CANCEL',
  });
  return { answered: lines.succeeded, asked: questions.length, uri: output?.uri ?? null };
}
