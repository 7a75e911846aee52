/** What `llm-jobs report` does. */
import { writeFile } from 'node:fs/promises';
import { NOT_INSTALLED } from '../report/charts.js';
import { reportPage } from '../report/page.js';
import type { Report } from '../report/report.js';
import { safeName } from '../storage/safe-name.js';
import { storageOf } from '../config/worker-config.js';
import type { Io } from './io.js';
import { storedResult } from './removed-run.js';
import { reportOfManifest, reportOfRun, type Sources } from './report-data.js';
import { inSession, type CommonOptions } from './run-actions.js';
import { NoSuchRunError, runOf, type NamedRun, type Session } from './session.js';
import { commonConfig } from './workers-storage.js';

export interface ReportOptions extends CommonOptions {
  readonly out?: string;
}

/** Writes the page to a file. */
export async function report(io: Io, id: string, options: ReportOptions): Promise<void> {
  await inSession(options, async (session) => {
    const config = await commonConfig(options);
    const told = await reportAbout(session, id, { storage: storageOf(config), config });
    const { page, hasPlots } = await reportPage(told);
    const file = options.out ?? `${safeName(id)}.html`;
    await writeFile(file, page);
    io.out(options.json ? JSON.stringify({ file, id, kind: told.kind, hasPlots }) : file);
    if (!hasPlots) io.err(NOT_INSTALLED);
    for (const note of told.notes) io.err(note);
  });
}

async function reportAbout(session: Session, id: string, sources: Sources): Promise<Report> {
  let named: NamedRun;
  try {
    named = await runOf(session, id);
  } catch (error) {
    if (!(error instanceof NoSuchRunError)) throw error;
    const stored = await storedResult(session, id, sources.storage);
    if (stored === null) throw error;
    return reportOfManifest(id, stored, sources);
  }
  return reportOfRun(session, named, sources);
}
