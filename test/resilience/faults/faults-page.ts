/** `docs/reference/faults.md`, made of what happened. */
export interface Row {
  readonly section: 'batch' | 'fineTuning' | 'batchScenario' | 'fineTuningScenario';
  readonly name: string;
  /** The operations that were struck, or the run's deadline. */
  readonly where: string;
  readonly expected: string;
  readonly happened: string;
  /** Types of the failures that were retried on the way. */
  readonly retried: string;
}

const HEAD = `# Faults, and what comes of them

Made by \`npm run docs:faults\`; \`npm test\` holds it to what happens. Every fault and every scenario of the local API
(\`temporal-llm-jobs/testing\`) was brought upon a real run of each lifecycle, on a real Temporal server. After each run it was also checked
that there was at most one job at the provider, that the account of a batch's twelve lines sums and agrees with the files, that no workflow
task failed, that no activity failed by a bug, and that the API key was in no message.

A fault that passes struck every operation once in one and the same run. One that is for good struck one operation a run.
`;

const SECTIONS: Record<Row['section'], { title: string; columns: readonly (readonly [string, keyof Row])[] }> = {
  batch: {
    title: 'Faults of requests, `runBatch`',
    columns: [
      ['Fault', 'name'],
      ['Struck', 'where'],
      ['Expected', 'expected'],
      ['Happened', 'happened'],
      ['Retried as', 'retried'],
    ],
  },
  fineTuning: {
    title: 'Faults of requests, `runFineTuning`',
    columns: [
      ['Fault', 'name'],
      ['Struck', 'where'],
      ['Expected', 'expected'],
      ['Happened', 'happened'],
      ['Retried as', 'retried'],
    ],
  },
  batchScenario: {
    title: 'Scenarios of batches',
    columns: [
      ['Scenario', 'name'],
      ['Run', 'where'],
      ['Expected', 'expected'],
      ['Happened', 'happened'],
    ],
  },
  fineTuningScenario: {
    title: 'Scenarios of fine-tuning jobs',
    columns: [
      ['Scenario', 'name'],
      ['Run', 'where'],
      ['Expected', 'expected'],
      ['Happened', 'happened'],
    ],
  },
};

export function faultsPage(rows: readonly Row[]): string {
  const sections = Object.entries(SECTIONS).map(([section, { title, columns }]) => {
    const body = rows.filter((row) => row.section === section).map((row) => columns.map(([, field]) => row[field]));
    return `## ${title}\n\n${table([columns.map(([head]) => head), ...body])}`;
  });
  return [HEAD, ...sections].join('\n');
}

/** With columns as wide as Prettier makes them. */
function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const text = (line: readonly string[]) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [head = [], ...body] = lines;
  return [text(head), text(widths.map((width) => '-'.repeat(width))), ...body.map(text)].join('');
}
