#!/usr/bin/env node
/** The command `llm-jobs`. */
import { createProgram } from './cli/program.js';

// A reader that has enough, such as `head`, is no error.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1));

await createProgram().parseAsync();
