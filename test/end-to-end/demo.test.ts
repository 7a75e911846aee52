import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));
const demo = (args: string[], environment: Record<string, string> = {}) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', main, ...args], {
    env: { ...process.env, OPENAI_API_KEY: '', ...environment },
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });

describe('npm run demo', () => {
  test('without a terminal → exits with 0 and shows links, manifests and answers', async () => {
    const { stdout } = await demo(['--speed', '4']);
    expect(stdout).toMatch(/Batch of 66 requests +http:\S+\/workflows\/demo-batch-/);
    expect(stdout).toContain('lines: { succeeded: 64, failed: 2, unfinished: 0, missing: 0 }');
    expect(stdout).toContain("fineTunedModel: 'ft:gpt-4o-mini-2024-07-18:");
    expect(stdout).toContain("cancellation: { by: 'signal', reason: 'a third is enough for a demo'");
    expect(stdout).toMatch(/triage-001 +I was charged twice.* → {2}\S/);
    expect(stdout).toMatch(/always-429 .* → {2}failed with 429/);
    // No colours where nobody sees them.
    expect(stdout).not.toContain('\u001B');
  });

  test.each([
    [['--live'], /--live needs OPENAI_API_KEY/],
    [['--kepe'], /--kepe/],
    [['--speed', 'fast'], /--speed must be between/],
  ])('%s → exits with 1 and says why', async (args, reason) => {
    const error = await demo(args).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 1 });
    expect((error as { stderr: string }).stderr).toMatch(reason);
  });
});
