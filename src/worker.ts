#!/usr/bin/env node
/** The ready-made worker, which `npm run worker` and `llm-jobs worker` start. */
import { runWorker } from './worker/main.js';

await runWorker();
