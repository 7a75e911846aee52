#!/usr/bin/env node
/** The ready-made worker, as `npm run worker` starts it. */
import { runWorker } from './worker/main.js';

await runWorker();
