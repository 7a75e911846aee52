import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { llmJobs } from '../../support/commands.js';

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** The words that bash offers for the last of these. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const { out } = await llmJobs('completion', 'bash');
  const typed = words.map((word) => `'${word}'`).join(' ');
  const code = `${out.join('\n')}\nCOMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _llm_jobs; echo "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', code], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split(' ').filter(Boolean);
}

describe.skipIf(!has('bash'))('completion in bash', () => {
  test('commands, commands of commands, options and choices', async () => {
    expect(await offered('llm-jobs', 'wa')).toEqual(['watch']);
    expect(await offered('llm-jobs', 'batch', '')).toEqual(['run', 'start', '--help']);
    expect(await offered('llm-jobs', 'batch', 'run', '--en')).toEqual(['--endpoint']);
    expect(await offered('llm-jobs', 'list', '--kind', '')).toEqual(['batch', 'bulk', 'fine-tune']);
    expect(await offered('llm-jobs', 'completion', '')).toEqual(['bash', 'zsh', 'fish', '--help']);
  });

  test('anything else → nothing, so that files are offered', async () => {
    expect(await offered('llm-jobs', 'batch', 'run', 'requests')).toEqual([]);
  });
});

test.runIf(has('zsh'))('zsh → it can read the script', async () => {
  const { out } = await llmJobs('completion', 'zsh');
  expect(spawnSync('zsh', ['-n'], { input: out.join('\n'), encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  });
});

test('fish → a line for each command and option, with its description', async () => {
  const { out } = await llmJobs('completion', 'fish');
  expect(out).toContainEqual(expect.stringMatching(/^complete -c llm-jobs .* -f -a watch -d 'Follow runs /));
  expect(out).toContainEqual(
    expect.stringMatching(/-n '__fish_seen_subcommand_from list' -l kind -x -a 'batch bulk fine-tune' -d '/),
  );
});
