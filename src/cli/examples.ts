/** What a person types, by the command that it shows. */
import type { Command } from 'commander';

export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  dev: ['llm-jobs dev', 'llm-jobs dev --speed 0.1 --db .llm-jobs/dev.db'],
  worker: ['OPENAI_API_KEY=sk-… llm-jobs worker', 'llm-jobs worker --config llm-jobs.config.ts --check'],
  'batch run': [
    'llm-jobs batch run requests.jsonl',
    'llm-jobs batch run requests.jsonl --id nightly-2026-11-26 --json',
  ],
  'batch start': ['llm-jobs batch start s3://bucket/requests.jsonl --endpoint /v1/responses'],
  'bulk run': ['llm-jobs bulk run january.jsonl.gz february.jsonl.gz'],
  'bulk start': ['llm-jobs bulk start requests.jsonl --id backfill --spec backfill.json'],
  'fine-tune run': ['llm-jobs fine-tune run training.jsonl --model gpt-4.1-mini-2025-04-14'],
  'fine-tune start': [
    'llm-jobs fine-tune start training.jsonl --model gpt-4.1-mini-2025-04-14 --validation held-out.jsonl',
  ],
  check: ['llm-jobs check requests.jsonl', 'llm-jobs check requests.jsonl.gz --bulk --prices prices.json'],
  watch: ['llm-jobs watch nightly-2026-11-26', 'llm-jobs watch nightly backfill --json'],
  results: [
    'llm-jobs results nightly --text --out answers.csv',
    'llm-jobs results nightly --failed --with-input | jq -c .request > again.jsonl',
  ],
  report: ['llm-jobs report nightly-2026-11-26', 'llm-jobs report backfill --out backfill.html'],
  list: ['llm-jobs list', 'llm-jobs list --all --kind bulk --limit 10'],
  setup: ['llm-jobs setup', 'llm-jobs setup --ui https://temporal.example.com'],
  status: ['llm-jobs status nightly-2026-11-26'],
  look: ['llm-jobs look nightly-2026-11-26 --json'],
  cancel: ['llm-jobs cancel nightly-2026-11-26 --reason "wrong prompt"'],
  pause: ['llm-jobs pause backfill'],
  resume: ['llm-jobs resume backfill'],
  orphans: ['llm-jobs orphans --days 7', 'llm-jobs orphans --cancel'],
  adopt: ['llm-jobs adopt batch_abc123', 'llm-jobs adopt batch_abc123 --provider azure --json'],
  'webhooks setup': ['llm-jobs webhooks setup https://jobs.example.com/webhooks'],
  'webhooks test': ['llm-jobs webhooks test we_123'],
  'webhooks rotate': ['llm-jobs webhooks rotate we_123'],
  completion: [
    'llm-jobs completion bash > ~/.local/share/bash-completion/completions/llm-jobs',
    'eval "$(llm-jobs completion zsh)"',
  ],
};

/** Each command that does something, by its name with those of its parents, such as `webhooks setup`. */
export function commandsOf(command: Command, prefix = ''): [name: string, command: Command][] {
  return command.commands.flatMap((each): [string, Command][] => {
    const name = `${prefix}${each.name()}`;
    return each.commands.length > 0 ? commandsOf(each, `${name} `) : [[name, each]];
  });
}

/** Adds its examples to the help of each command. */
export function addExamples(program: Command): void {
  for (const [name, command] of commandsOf(program)) {
    const lines = (EXAMPLES[name] ?? []).map((example) => `  $ ${example}`);
    if (lines.length > 0) command.addHelpText('after', ['\nExamples:', ...lines].join('\n'));
  }
}
