/** Links of the docs resolve, also from the package as it is published. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { allPages, anchorsOf, linksOf, readPage, ROOT } from '../../support/docs/pages.js';

const pages = allPages();
const isAbsolute = (link: string): boolean => /^[a-z]+:/.test(link);

/** Whether a path is an entry of `files` in package.json, or below it. */
const isIn = (path: string, entry: string): boolean => path === entry || path.startsWith(`${entry}/`);

/** Why a link of a page does not resolve; null if it does. */
function faultOf(page: string, link: string): string | null {
  const [target = '', anchor] = link.split('#');
  const path = target === '' ? page : posix.join(dirname(page), target);
  if (!existsSync(join(ROOT, path))) return 'no such file';
  if (anchor === undefined) return null;
  if (!path.endsWith('.md')) return 'an anchor of what is no page';
  return anchorsOf(readPage(path)).includes(anchor) ? null : 'no such heading';
}

test('relative links → lead to a file and a heading that exist', () => {
  const links = pages.flatMap((page) => linksOf(page).map((link) => ({ page: page.path, link })));
  const relative = links.filter(({ link }) => !isAbsolute(link));
  expect(relative.length).toBeGreaterThan(20);
  const faults = relative.flatMap(({ page, link }) => {
    const fault = faultOf(page, link);
    return fault === null ? [] : [`${page}: ${link}: ${fault}`];
  });
  expect(faults).toEqual([]);
});

test('links of published pages → lead to files that are published, or elsewhere', () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
  const isPublished = (path: string) =>
    files.some((entry) => isIn(path, entry)) &&
    !files.some((entry) => isIn(path, entry.replace(/^!/, '')) && entry.startsWith('!'));
  const published = pages.filter(({ path }) => isPublished(path));
  const links = published.flatMap((page) =>
    linksOf(page)
      .filter((link) => !isAbsolute(link) && !link.startsWith('#'))
      .map((link) => ({ page: page.path, path: posix.join(dirname(page.path), link.split('#')[0] ?? '') })),
  );
  expect(published.map(({ path }) => path)).toContain('README.md');
  expect(links.length).toBeGreaterThan(100);
  // A link to a folder ends in a slash.
  expect(links.filter(({ path }) => !isPublished(path.replace(/\/$/, '')))).toEqual([]);
});

test('pages of docs/ but for decisions → each is reached from docs/README.md', () => {
  const reached = new Set(['docs/README.md']);
  // A set is iterated with what is added meanwhile.
  for (const path of reached) {
    for (const link of linksOf(readPage(path)).filter((each) => !isAbsolute(each))) {
      const target = posix.join(dirname(path), link.split('#')[0] ?? '');
      if (pages.some(({ path: each }) => each === target) && target.startsWith('docs/')) reached.add(target);
    }
  }
  const expected = pages.map(({ path }) => path).filter((path) => /^docs\/(?!decisions\/)/.test(path));
  const missing = expected.filter((path) => !reached.has(path));
  expect(missing).toEqual([]);
});
