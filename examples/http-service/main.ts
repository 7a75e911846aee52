/** Serves it: `TEMPORAL_ADDRESS` names the server, `LLM_JOBS_STORAGE` the root of the workers' storage, `PORT` the port. */
import { serve } from '@hono/node-server';
import { LlmJobsClient, Storage } from 'temporal-llm-jobs/client';
import { batchService } from './service.js';

const jobs = await LlmJobsClient.connect();
const storage = new Storage({ roots: [process.env.LLM_JOBS_STORAGE ?? 'file:///data/'] });
const port = Number(process.env.PORT ?? 3000);
serve({ fetch: batchService(jobs, storage).fetch, port, hostname: '127.0.0.1' });
console.log(`http://127.0.0.1:${port}/batches`);
