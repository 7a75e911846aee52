#!/usr/bin/env node
/** The command `llm-jobs`. */
import { createProgram } from './cli/program.js';

await createProgram().parseAsync();
