/** The worker of the timer loop in a process of its own. Prints a line when it is ready and ends with its parent. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NativeConnection, Worker } from '@temporalio/worker';
import { quietRuntime } from '../../dev/stage/quiet-runtime.js';
import { timerLoopActivities } from './timer-loop-activities.js';

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { address: text, namespace: text, queue: text, url: text, key: text } });

process.on('disconnect', () => process.exit());
quietRuntime();
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: values.address }),
  namespace: values.namespace,
  taskQueue: values.queue,
  workflowsPath: fileURLToPath(new URL('timer-loop.ts', import.meta.url)),
  activities: timerLoopActivities({ url: values.url, apiKey: values.key }),
});
console.log(JSON.stringify({ isReady: true }));
await worker.run();
