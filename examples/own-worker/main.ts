/** Runs it: `TEMPORAL_ADDRESS` and `OPENAI_API_KEY` are read from the environment. */
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import OpenAI from 'openai';
import { createWorker } from './worker.js';

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const worker = await createWorker({
  connection: await NativeConnection.connect(connectionOptions),
  namespace,
  taskQueue: 'llm-jobs',
  providers: { default: { client: new OpenAI() } },
  storage: ['file:///data/'],
});
await worker.run();
