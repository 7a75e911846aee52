/** The ready-made bundle, as the build left it in dist/. */
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { WORKFLOW_BUNDLE } from '../../dev/stage/worker.js';

const code = readFileSync(WORKFLOW_BUNDLE, 'utf8');
const [, encoded = ''] = code.split(/^\/\/# sourceMappingURL=data:[^,]*,/m);
const { sources } = JSON.parse(Buffer.from(encoded, 'base64').toString()) as { sources: string[] };

test('workflows → exactly those that are documented', () => {
  const sandbox = createContext({ __webpack_module_cache__: {}, TextEncoder, TextDecoder, URL, AbortController });
  runInContext(code, sandbox);
  const names = runInContext('Object.keys(__TEMPORAL__.importWorkflows()).sort()', sandbox) as string[];
  expect([...names]).toEqual(['runBatch', 'runBulkBatch', 'runFineTuning', 'tokenBudget', 'watchAccount']);
});

test('packages → none but those that a workflow needs: nothing of openai', () => {
  const names = sources.flatMap((source) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
  const unique = [...new Set(names)].toSorted((a, b) => a.localeCompare(b));
  expect(unique).toEqual(expect.arrayContaining(['@temporalio/common', '@temporalio/workflow', 'zod']));
  expect(unique.filter((name) => !/^(@temporalio\/(common|workflow)|long|ms|nexus-rpc|zod)$/.test(name))).toEqual([]);
});

test('our own sources → workflows and the domain, nothing that touches the world', () => {
  const folders = sources.filter((source) => source.startsWith('src/')).map((source) => source.split('/')[1]);
  expect(new Set(folders)).toEqual(new Set(['contract', 'workflows', 'workflows.ts']));
});

test('Node → none of its modules', () => {
  expect(sources.filter((source) => /^(external )?"?node:/.test(source))).toEqual([]);
  expect(code).not.toMatch(/\brequire\(["']node:/);
});
