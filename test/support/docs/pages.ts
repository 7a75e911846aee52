/** The Markdown pages of the project, and what stands in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder, with a slash at the end. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const FOLDERS_OF_PAGES = ['docs', 'examples'];

export interface CodeBlock {
  /** Path of the page in the repository, with slashes. */
  readonly page: string;
  /** Number of its first line, from 1. */
  readonly line: number;
  /** Such as `ts`; empty where the block names none. */
  readonly language: string;
  /** What follows the language: for JSON, the type of the package that it is of. */
  readonly typeName: string;
  readonly text: string;
}

export interface Page {
  /** Path in the repository, with slashes. */
  readonly path: string;
  readonly blocks: readonly CodeBlock[];
  /** The page without its blocks of code. */
  readonly prose: string;
}

/** Every page that is written for users and contributors. */
export function allPages(): Page[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const below = FOLDERS_OF_PAGES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  );
  return [...top, ...below, 'bench/README.md'].toSorted().map(readPage);
}

export function readPage(path: string): Page {
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  let open: { fence: string; line: number; language: string; typeName: string; lines: string[] } | null = null;
  for (const [index, line] of readFileSync(join(ROOT, path), 'utf8').split('\n').entries()) {
    const [, indent = '', fence = '', language = '', typeName = ''] = /^( *)(`{3,})(\w*) *(\w*)/.exec(line) ?? [];
    if (open === null && fence !== '') {
      open = { fence: indent + fence, line: index + 2, language, typeName, lines: [] };
    } else if (open !== null && line.trimEnd() === open.fence) {
      const { line: first, language: named, typeName: type, lines } = open;
      blocks.push({ page: path, line: first, language: named, typeName: type, text: lines.join('\n') });
      open = null;
    } else {
      (open?.lines ?? prose).push(line);
    }
  }
  return { path, blocks, prose: prose.join('\n') };
}

/** Targets of the links and images of a page, without those inside code spans. */
export function linksOf({ prose }: Page): string[] {
  const text = prose.replaceAll(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(<?([^\s)>]+)>?(?: "[^"]*")?\)/g)].map(([, target = '']) => target);
}

/** The anchors of a page's headings, as GitHub and npm make them. */
export function anchorsOf({ prose }: Page): string[] {
  const seen = new Map<string, number>();
  return [...prose.matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, title = '']) => {
    const text = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = text.replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
