import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { atTerminal, hasPseudoTerminals } from '../support/pseudo-terminal.js';

const main = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));
const DEMO = ['--import', 'tsx', main];
const CTRL_C = '\u0003';
const env = { ...process.env, OPENAI_API_KEY: '' };

const demo = (...args: string[]) =>
  promisify(execFile)(process.execPath, [...DEMO, ...args], {
    env,
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });

const demoAtTerminal = () => atTerminal([process.execPath, ...DEMO], { ...env, TERM: 'xterm', CI: '' });

describe('npm run demo', () => {
  test('without a terminal → all jobs end although their worker is killed, and none is created twice', async () => {
    const { stdout } = await demo();
    expect(stdout).toMatch(/ s {2}The worker, process \d+, was killed with SIGKILL/);
    expect(stdout).toMatch(/ s {2}Another worker, process \d+, takes over/);
    expect(stdout).toMatch(/Batch of 66 requests +completed: 64 succeeded, 2 failed\n/);
    expect(stdout).toMatch(/Bulk of 300 requests +completed: 300 succeeded, in 3 batches\n/);
    expect(stdout).toMatch(/Fine-tuning job +succeeded: ft:gpt-4.1-mini-2025-04-14:/);
    expect(stdout).toMatch(/Batch, cancelled midway +cancelled: \d+ succeeded, .*\d+ unfinished\n/);
    expect(stdout).toContain('The API counts 5 batches (3 of the bulk) and 1 fine-tuning job');
    expect(stdout).toMatch(/Batch of 66 requests +http:\S+\/workflows\/demo-batch-/);
    expect(stdout).toMatch(/triage-001 +I was charged twice.* → {2}\S/);
    expect(stdout).toMatch(/always-429 .* → {2}failed with 429/);
    expect(stdout).toContain('To keep them: npm run demo -- --keep');
    // No colours where nobody sees them.
    expect(stdout).not.toContain('\u001B');
  });

  test.each([
    [['--live'], /--live needs OPENAI_API_KEY/],
    [['--kepe'], /--kepe/],
    [['--speed', 'fast'], /--speed must be between/],
  ])('%s → exits with 1 and says why', async (args, reason) => {
    const error = await demo(...args).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 1 });
    expect((error as { stderr: string }).stderr).toMatch(reason);
  });
});

describe.skipIf(!hasPseudoTerminals)('npm run demo at a terminal', () => {
  test('to its end → bars, then links that answer until Ctrl-C', async () => {
    const terminal = demoAtTerminal();
    await terminal.shows(/Batch of 66 requests +━+ +in progress +\d+ of 66 answered/);
    await terminal.shows('was killed with SIGKILL');
    await terminal.shows(/✔ Bulk of 300 requests/);
    const [, link = ''] = await terminal.shows(/Fine-tuning job +(http:\/\/[\w.:/-]+)/);
    await terminal.shows('The links answer until you press Ctrl-C.');
    expect((await fetch(link)).status).toBe(200);
    terminal.type(CTRL_C);
    expect(await terminal.ended).toBe(0);
    await expect(fetch(link)).rejects.toThrow('fetch failed');
  });

  test('Ctrl-C in the middle → everything stops in order, with the exit code of an interruption', async () => {
    const terminal = demoAtTerminal();
    const [, ui = ''] = await terminal.shows(/Temporal UI: (http:\/\/[\w.:]+)/);
    await terminal.shows(/Batch of 66 requests +━+ +validating/);
    terminal.type(CTRL_C);
    await terminal.shows('Interrupted.');
    expect(await terminal.ended).toBe(130);
    await expect(fetch(ui)).rejects.toThrow('fetch failed');
  });
});
