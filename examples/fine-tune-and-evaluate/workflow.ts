/** Trains a model, asks it and its base model the same held-out questions in one bulk batch, and keeps the better one. */
import { executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { runBulkBatch, runFineTuning } from 'temporal-llm-jobs/workflows';
import type { EvaluationActivities, Scores } from './activities.js';

export interface ChooseModelInput {
  readonly baseModel: string;
  /** URI of a JSONL file of training examples. */
  readonly trainingFile: string;
  /** URI of a JSONL file of `{ text, label }` that the training file does not contain. */
  readonly heldOut: string;
}

export interface Choice {
  readonly chosen: string;
  /** Share of right answers by model. */
  readonly scores: Scores;
}

const { writeQuestions, score } = proxyActivities<EvaluationActivities>({ startToCloseTimeout: '10m' });

export async function chooseModel({ baseModel, trainingFile, heldOut }: ChooseModelInput): Promise<Choice> {
  const { workflowId } = workflowInfo();
  const { fineTunedModel } = await executeChild<typeof runFineTuning>('runFineTuning', {
    workflowId: `${workflowId}/training`,
    args: [{ model: baseModel, trainingFile: { uri: trainingFile } }],
    parentClosePolicy: 'REQUEST_CANCEL',
  });
  if (fineTunedModel === null) return { chosen: baseModel, scores: {} };

  const questions = await writeQuestions(heldOut, [baseModel, fineTunedModel]);
  const { output, errors } = await executeChild<typeof runBulkBatch>('runBulkBatch', {
    workflowId: `${workflowId}/evaluation`,
    args: [{ input: { uri: questions } }],
    parentClosePolicy: 'REQUEST_CANCEL',
  });
  const scores = await score(heldOut, { output, errors });
  const isBetter = (scores[fineTunedModel] ?? 0) > (scores[baseModel] ?? 0);
  return { chosen: isBetter ? fineTunedModel : baseModel, scores };
}
