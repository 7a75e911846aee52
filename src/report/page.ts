/** A report as one page of HTML, which needs nothing from anywhere. */
import { html, raw } from 'hono/html';
import { batchSections } from './batch-report.js';
import { bulkSections } from './bulk-report.js';
import { Charts, NOT_INSTALLED } from './charts.js';
import { fineTuningSections } from './fine-tuning-report.js';
import { iso, paragraph, type Html } from './html.js';
import type { Report } from './report.js';
import { STYLE } from './style.js';

/** Scripts, fonts, images and requests of any kind are forbidden to the page itself, too. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const NOUNS = { batch: 'Batch', bulkBatch: 'Bulk batch', fineTuning: 'Fine-tuning' } as const;

export async function reportPage(report: Report): Promise<{ readonly page: string; readonly hasPlots: boolean }> {
  const charts = await Charts.load();
  const notes = [...report.notes, ...(charts === null ? [NOT_INSTALLED] : [])];
  const title = `${NOUNS[report.kind]} ${report.id}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p class="soft">As of ${iso(report.madeAt)}. All times are UTC.</p>
          ${notes.map(paragraph)} ${sectionsOf(report, charts)}
        </main>
        <footer><p>Written by llm-jobs report.</p></footer>
      </body>
    </html>`;
  return { page: `${String(await page)}\n`, hasPlots: charts !== null };
}

function sectionsOf(report: Report, charts: Charts | null): Html[] {
  if (report.kind === 'batch') return batchSections(report, charts);
  return report.kind === 'bulkBatch' ? bulkSections(report, charts) : fineTuningSections(report, charts);
}
