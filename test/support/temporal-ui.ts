/** The Temporal UI in a real Chromium, as a person sees it. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { ROOT } from './docs/pages.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Generous, since it only bounds what hangs. */
const LIMIT_MS = 120_000;
const PAGE_SIZE = { width: 1_360, height: 940 };
/** The list has more columns. */
const LIST_SIZE = { width: 1_690, height: 840 };
/** The menus at the left and at the top, which pictures do without. */
const MENUS = { x: 256, y: 60 };

const IMAGES = join(ROOT, 'docs', 'images');

/** Path of a Chromium: of the variable, or else of the `PATH`. Null if there is none. */
export const CHROMIUM = process.env.LLM_JOBS_CHROMIUM || findInPath();

function findInPath(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}

export class TemporalUi {
  readonly #browser: Browser;
  readonly #page: Page;
  /** Where screenshots go that the docs do not show, or that are not to be replaced. */
  readonly #folder: string;
  /** The pages of the namespace. */
  readonly #url: string;

  private constructor(browser: Browser, page: Page, folder: string, url: string) {
    this.#browser = browser;
    this.#page = page;
    this.#folder = folder;
    this.#url = url;
  }

  static async open(uiUrl: string, namespace: string): Promise<TemporalUi> {
    const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-screenshots-'));
    const args = ['--no-sandbox', '--headless=new', '--disable-lcd-text'];
    const browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args });
    const page = await browser.newPage({ timezoneId: 'UTC', colorScheme: 'light' });
    page.setDefaultTimeout(LIMIT_MS);
    return new TemporalUi(browser, page, folder, `${uiUrl}/namespaces/${namespace}`);
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  /** Opens the list of runs and changes its columns, by their names. */
  async openList(change: { readonly add: readonly string[]; readonly remove: readonly string[] }): Promise<void> {
    await this.#page.setViewportSize(LIST_SIZE);
    await this.#page.goto(`${this.#url}/workflows`);
    await this.#page.getByRole('button', { name: 'Configure Columns' }).click();
    for (const name of change.remove) await this.#page.getByRole('button', { name: `Remove ${name} column` }).click();
    for (const name of change.add) await this.#page.getByRole('button', { name: `Add ${name} column` }).click();
    await this.#page.getByRole('button', { name: 'Close Workflows Table configuration' }).click();
  }

  /** The texts of the cells of a run in the list. */
  async rowOf(workflowId: string): Promise<string[]> {
    const row = this.#page
      .getByRole('row')
      .filter({ has: this.#page.getByRole('link', { name: workflowId, exact: true }) });
    const cells = await row.getByRole('cell').allInnerTexts();
    return cells.map((text) => text.trim()).filter((text) => text !== '' && !text.startsWith('Select '));
  }

  /** Opens the page of a run and returns the text that the run itself writes there. */
  async openRun(workflowId: string): Promise<string> {
    await this.#page.setViewportSize(PAGE_SIZE);
    await this.#page.goto(`${this.#url}/workflows/${encodeURIComponent(workflowId)}`);
    // The tab has had both names.
    await this.#page.locator('a', { hasText: /^\s*(User Metadata|Summary & Details)\s*$/ }).click();
    const details = this.#page.frameLocator('#user-metadata-current-details');
    // It is empty until a worker has answered.
    await details.locator('h3').waitFor();
    return details.locator('body').innerText();
  }

  /** The text of the timeline of the run that is open. */
  async timeline(): Promise<string> {
    await this.#page.locator('a', { hasText: /^\s*Timeline\s*$/ }).click();
    await this.#page.getByText('checkBatchInput').first().waitFor();
    return this.#page.locator('#content').innerText();
  }

  /** Opens a page in a file. Returns its text, the number of plots that are visible, and what else it asked for. */
  async openFile(path: string): Promise<{ text: string; plots: number; requests: string[]; complaints: string[] }> {
    const page = await this.#browser.newPage({ viewport: PAGE_SIZE, timezoneId: 'UTC', colorScheme: 'light' });
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    const url = pathToFileURL(path).href;
    await page.goto(url);
    const plots = await page.locator('svg:visible').count();
    const text = await page.locator('body').innerText();
    await page.screenshot({ path: path.replace(/\.html$/, '.png'), fullPage: true });
    await page.close();
    return { text, plots, requests: requests.filter((each) => each !== url), complaints };
  }

  /** A path in the folder of the screenshots. */
  fileNamed(name: string): string {
    return join(this.#folder, name);
  }

  /** @param isForDocs replaces the one in `docs/images` where `LLM_JOBS_WRITE_DOCS` is set */
  async screenshot(name: string, isForDocs: boolean): Promise<void> {
    const folder = isForDocs && process.env.LLM_JOBS_WRITE_DOCS ? IMAGES : this.#folder;
    await mkdir(folder, { recursive: true });
    const { width, height } = this.#page.viewportSize() ?? PAGE_SIZE;
    const clip = { ...MENUS, width: width - MENUS.x, height: height - MENUS.y };
    await this.#page.screenshot({ path: join(folder, `${name}.png`), clip });
  }
}
