/** Sums what `count-inputs.ts` wrote down, and prints it when all is over. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    inputCounts: string;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'llm-jobs-fuzz-'));
  const file = join(folder, 'counts');
  writeFileSync(file, '');
  project.provide('inputCounts', file);
  return () => {
    const counts = readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
    const sum = counts.reduce((total, count) => total + count, 0);
    console.log(`${counts.length} properties were given ${sum} generated inputs`);
    rmSync(folder, { recursive: true, force: true });
  };
}
