/** `llm-jobs batch`, `bulk`, `fine-tune`, `watch`, `results` and `report`: their arguments. */
import { Command, Option } from 'commander';
import type { CheckOptions } from './check-action.js';
import { run, type Io } from './io.js';
import { command, configOption } from './run-commands.js';
import type { CommonOptions } from './run-actions.js';
import { RESULT_FORMATS } from './result-lines.js';
import type { ReportOptions } from './report-action.js';
import type { ResultsOptions } from './results-action.js';
import type { StartCommandOptions, StartedKind } from './start-actions.js';

// Loaded on demand, as Temporal's client.
const actions = () => import('./start-actions.js');

const FILE_HELP = `
A local file outside the storage of the workers is copied into it. --spec FILE gives all other
fields of the spec, such as {"deadline": "12h", "metadata": {"team": "search"}}.`;

export function startCommands(io: Io): Command[] {
  return [
    kindCommand(io, 'batch', 'One batch of requests, from a JSONL file.', (each) =>
      each
        .argument('<file>', 'path or URI of a JSONL file')
        .option('--endpoint <path>', 'such as /v1/chat/completions (default: that of the first request)'),
    ),
    kindCommand(io, 'bulk', 'Any number of requests, in as many batches as needed.', (each) =>
      each
        .argument('<files...>', 'paths or URIs of JSONL files, plain or gzip')
        .option('--endpoint <path>', 'the endpoint that every request must have'),
    ),
    kindCommand(io, 'fine-tune', 'A fine-tuning job.', (each) =>
      each
        .argument('<file>', 'path or URI of the training file')
        .requiredOption('--model <name>', 'the base model')
        .option('--validation <file>', 'path or URI of a validation file'),
    ),
    checkCommand(io),
    command('watch', 'Follow runs until their end: what happens on stderr, their results on stdout.')
      .argument('<workflow-ids...>', 'workflow ids of the runs')
      .action((workflowIds: string[], options: CommonOptions) =>
        run(io, async () => (await actions()).watch(io, workflowIds, options)),
      ),
    resultsCommand(io),
    reportCommand(io),
  ];
}

const CHECK_HELP = `
Tokens are counted by gpt-tokenizer, which is optional: npm install gpt-tokenizer. Prices are in USD for a million
tokens of a batch: {"gpt-4o-mini": {"input": 0.075, "output": 0.3}}. A name may end with *, and cachedInput may be given.`;

function checkCommand(io: Io): Command {
  return new Command('check')
    .description('Read a JSONL file as the worker would: what is wrong, tokens, batches, cost. Nothing is sent.')
    .argument('<file>', 'path or URI of a JSONL file')
    .option('--endpoint <path>', 'such as /v1/chat/completions (default: that of the first request)')
    .option('--bulk', 'as the input of a bulk: models and endpoints may be mixed, gzip is read')
    .option('--prices <file>', 'a JSON file of prices by model (default: those of the configuration)')
    .addOption(configOption())
    .option('--json', 'print JSON')
    .addHelpText('after', CHECK_HELP)
    .action((file: string, options: CheckOptions) =>
      run(io, async () => (await import('./check-action.js')).check(io, file, options)),
    );
}

const RESULTS_HELP = `
A line of JSON has customId, ok, and value or error; with --with-input also request, the line of the input. CSV has the
same as columns.

A run that Temporal has removed is read from storage, also by the id of its batch.`;

function resultsCommand(io: Io): Command {
  const structured = new Option('--structured', 'the JSON that the model wrote, instead of the whole response');
  return command('results', 'Print the answers of a run that has ended, a line a request.')
    .argument('<workflow-id>', 'workflow id of the run, or the id of its batch once Temporal has removed the run')
    .option('--failed', 'only requests without an answer')
    .addOption(structured.conflicts('text'))
    .option('--text', 'the text that the model wrote, instead of the whole response')
    .option('--with-input', 'with the request of each answer, by its custom_id')
    .addOption(
      new Option('--format <format>', 'how to write them (default: jsonl, or csv by the name of --out)').choices(
        RESULT_FORMATS,
      ),
    )
    .option('--out <file>', 'write them to a file')
    .addHelpText('after', RESULTS_HELP)
    .action((workflowId: string, options: ResultsOptions) =>
      run(io, async () => (await import('./results-action.js')).results(io, workflowId, options)),
    );
}

const REPORT_HELP = `
The page is one file and loads nothing. Its plots need two optional packages: npm install @observablehq/plot linkedom.
A run that Temporal has removed is read from storage, also by the id of its job.`;

function reportCommand(io: Io): Command {
  return command('report', 'Write a page of HTML about a run: how far it is or how it ended, with plots and tables.')
    .argument('<workflow-id>', 'workflow id of the run')
    .option('--out <file>', 'where to write it (default: <workflow-id>.html)')
    .addHelpText('after', REPORT_HELP)
    .action((workflowId: string, options: ReportOptions) =>
      run(io, async () => (await import('./report-action.js')).report(io, workflowId, options)),
    );
}

function kindCommand(
  io: Io,
  kind: StartedKind,
  description: string,
  withArguments: (each: Command) => Command,
): Command {
  const start = (name: 'run' | 'start', what: string) =>
    withArguments(command(name, what))
      .option('--id <workflow-id>', 'makes it safe to repeat the command: a run of that id is joined, not bought again')
      .option('--spec <file>', 'a JSON file with further fields of the spec')
      .addHelpText('after', FILE_HELP)
      .action((files: string | string[], options: StartCommandOptions) =>
        run(io, async () => (await actions()).start(io, kind, [files].flat(), options, name === 'run')),
      );
  return new Command(kind)
    .description(description)
    .addCommand(start('run', 'Start it, and follow it until its end.'))
    .addCommand(start('start', 'Start it, and return at once.'));
}
