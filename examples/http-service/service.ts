/** An HTTP service that starts batches, shows them and cancels them. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { Hono } from 'hono';
import {
  InvalidSpecError,
  JobFailedError,
  readResults,
  RunEndedError,
  type BatchRequest,
  type LlmJobsClient,
  type Storage,
} from 'temporal-llm-jobs/client';

/** What `POST /batches` takes. The id is the caller's: a repeated post joins the batch instead of buying it again. */
interface NewBatch {
  readonly id: string;
  readonly requests: BatchRequest[];
}

export function batchService(jobs: LlmJobsClient, storage: Storage): Hono {
  const service = new Hono();

  service.post('/batches', async (context) => {
    const { id, requests } = await context.req.json<NewBatch>();
    const run = await jobs.startBatch({ input: { requests }, endpoint: '/v1/chat/completions' }, { workflowId: id });
    return context.json({ id: run.workflowId }, 202);
  });

  service.get('/batches/:id', async (context) => {
    const run = jobs.batch(context.req.param('id'));
    const { phase, status, counts, attention } = await run.progress();
    return context.json({ isOpen: await run.isOpen(), phase, status, counts, attention });
  });

  /** Waits for the end, and answers with the texts by `custom_id`. */
  service.get('/batches/:id/answers', async (context) => {
    const result = await jobs.batch(context.req.param('id')).result();
    const answers: Record<string, string> = {};
    for await (const answer of readResults(result, { storage, value: 'text' })) {
      if (answer.ok) answers[answer.customId] = answer.value;
    }
    return context.json({ status: result.status, lines: result.lines, answers });
  });

  service.delete('/batches/:id', async (context) => {
    await jobs.batch(context.req.param('id')).cancel(context.req.query('reason'));
    return context.body(null, 202);
  });

  service.onError((error, context) => {
    if (error instanceof InvalidSpecError) return context.json({ faults: error.faults }, 400);
    if (error instanceof WorkflowNotFoundError) return context.json({ message: 'no such batch, or it has ended' }, 404);
    if (error instanceof RunEndedError) return context.json({ message: error.message }, 409);
    if (error instanceof JobFailedError) {
      const { type, message, whatNext } = error;
      return context.json({ type, message, whatNext }, 502);
    }
    console.error(error);
    return context.json({ message: 'internal error' }, 500);
  });

  return service;
}
