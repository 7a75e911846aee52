/** The pages of the API reference: what the package exports, as Markdown. */
import type { ApiExport, ApiField, Doc, EntryPoint } from './api-model.js';

/** What each entry point is for, by its name in the package. */
const PURPOSES: Readonly<Record<string, string>> = {
  '.': 'For workers: the activities, the plugin, storage and what providers need; also the types of the contract.',
  './workflows': 'The workflows, for workers that bring their own workflows file.',
  './client':
    'For application code: start and steer runs, read their results; also the types of the contract and storage.',
  './config': 'The configuration of worker and commands.',
  './webhooks': 'For web servers: take webhooks, and set them up.',
  './testing': 'The local API, a simulator of the provider.',
};

/** Where an export is described, by what it is. An export of several entry points is described once. */
type Places = ReadonlyMap<object, { readonly page: string; readonly name: string }>;

const pageOf = ({ name }: EntryPoint): string => name.split('/')[1] ?? 'worker';
const pathOf = (page: string): string => `docs/reference/api/${page}.md`;

/** The pages by their path in the repository. */
export function apiPages(entries: readonly EntryPoint[]): ReadonlyMap<string, string> {
  const places = placesOf(entries);
  const pages = new Map([['docs/reference/api.md', indexPage(entries, places)]]);
  for (const entry of entries) pages.set(pathOf(pageOf(entry)), entryPage(entry, places));
  return pages;
}

function placesOf(entries: readonly EntryPoint[]): Places {
  const places = new Map<object, { page: string; name: string }>();
  for (const entry of entries) {
    for (const { identity, name } of entry.exports) {
      if (!places.has(identity)) places.set(identity, { page: pageOf(entry), name });
    }
  }
  return places;
}

const HOW_MADE = '<!-- Written by `npm run docs:api` from the comments in src/. -->';

function indexPage(entries: readonly EntryPoint[], places: Places): string {
  const rows = entries.map((entry) => {
    const [own] = [entry.exports.filter(({ identity }) => places.get(identity)?.page === pageOf(entry))];
    return `| [\`${entry.name}\`](api/${pageOf(entry)}.md) | ${purposeOf(entry)} | ${own.length} |`;
  });
  return [
    '# API',
    HOW_MADE,
    'What the package exports to TypeScript and JavaScript, by entry point. An export of several entry points is described once. For other languages, see [the contract](contract.md).',
    ['| Import | What it is for | Described there |', '| --- | --- | --- |', ...rows].join('\n'),
  ]
    .join('\n\n')
    .concat('\n');
}

function purposeOf({ name }: EntryPoint): string {
  const purpose = PURPOSES[name.replace(/^[^/]+/, '.')];
  if (purpose === undefined) throw new Error(`${name} has no purpose yet: see PURPOSES`);
  return purpose;
}

function entryPage(entry: EntryPoint, places: Places): string {
  const page = pageOf(entry);
  const own = entry.exports.filter(({ identity }) => places.get(identity)?.page === page);
  const others = entry.exports.filter((each) => !own.includes(each));
  const links = others.map(({ identity, name }) => {
    const place = places.get(identity)!;
    return `[\`${name}\`](${place.page}.md#${slug(place.name)})`;
  });
  const kinds = [
    ['Classes', 'class'],
    ['Functions', 'function'],
    ['Types', 'type'],
    ['Constants', 'constant'],
  ] as const;
  return [
    `# ${entry.name}`,
    HOW_MADE,
    `${purposeOf(entry)} [All entry points](../api.md).`,
    ...kinds.flatMap(([title, kind]) => {
      const ofKind = own.filter((each) => each.kind === kind);
      return ofKind.length === 0 ? [] : [`## ${title}`, ...ofKind.map((each) => exportText(each, own, entry))];
    }),
    ...(links.length === 0 ? [] : ['## Also exported', links.join(', ')]),
  ]
    .join('\n\n')
    .concat('\n');
}

const slug = (name: string): string => name.toLowerCase();

function exportText(each: ApiExport, own: readonly ApiExport[], entry: EntryPoint): string {
  return [
    `### ${each.name}`,
    ...(each.signature === null ? [] : [code(each.signature)]),
    ...docText(each, own).map((text) => withImports(text, entry)),
    ...(each.fields.length === 0 ? [] : [fieldList(each.fields, own, '')]),
  ].join('\n\n');
}

/** An example of code with the imports of what it uses of this entry point. */
function withImports(text: string, { name, exports }: EntryPoint): string {
  return text.replaceAll(/```ts\n([\s\S]*?)```/g, (block, example: string) => {
    if (/import [^;]*'temporal-llm-jobs/.test(example)) return block;
    const used = exports.map((each) => each.name).filter((each) => new RegExp(`\\b${each}\\b`).test(example));
    return used.length === 0 ? block : `\`\`\`ts\nimport { ${used.join(', ')} } from '${name}';\n\n${example}\`\`\``;
  });
}

/** Text, then what the tags say; examples last. */
function docText(doc: Doc, own: readonly ApiExport[]): string[] {
  const { lines, examples } = tagText(doc, own);
  return [
    ...(doc.text === '' ? [] : [prose(doc.text, own)]),
    ...(lines.length === 0 ? [] : [lines.join('\n')]),
    ...examples,
  ];
}

const TITLES: Readonly<Record<string, string>> = { returns: 'Returns', throws: 'Throws', default: 'Default' };

function tagText({ tags }: Doc, own: readonly ApiExport[]): { lines: string[]; examples: string[] } {
  const lines: string[] = [];
  const examples: string[] = [];
  for (const { name, text } of tags) {
    if (name === 'example') examples.push(text.includes('```') ? text : `For example ${code(text)}`);
    else if (name === 'param') lines.push(`- ${paramText(text, own)}`);
    else lines.push(`- ${TITLES[name] ?? name}: ${name === 'default' ? defaultText(text) : prose(text, own)}`);
  }
  return { lines, examples };
}

function paramText(text: string, own: readonly ApiExport[]): string {
  const [, name = '', what = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  return `${code(name)}: ${prose(what, own)}`;
}

/** A literal as code, anything else as prose. */
const defaultText = (text: string): string =>
  /^(?:'[^']*'|-?[\d_.]+|true|false|\[.*\]|\{.*\})$/.test(text) ? code(text) : text;

function fieldList(fields: readonly ApiField[], own: readonly ApiExport[], indent: string): string {
  return fields
    .map(({ signature, type, text, tags, fields: parts }) => {
      const head = code(type === null ? signature : `${signature}: ${shortened(type, parts.length > 0)}`);
      const { lines, examples } = tagText({ text: '', tags }, own);
      const defaults = lines
        .map((line) => line.replace(/^- /, ''))
        .map((line) => (line.endsWith('.') ? line : `${line}.`));
      const inline = examples.filter((example) => !example.includes('```')).map((example) => `${example}.`);
      const sentences = [prose(text, own), ...defaults, ...inline]
        .filter(Boolean)
        .join(' ')
        .replaceAll(/\s*\n\s*/g, ' ');
      const below = parts.length === 0 ? '' : `\n${fieldList(parts, own, `${indent}  `)}`;
      return `${indent}- ${head}${sentences === '' ? '' : `: ${sentences}`}${below}`;
    })
    .join('\n');
}

/** Longest type that is shown, in characters. */
const MAX_TYPE = 160;

function shortened(type: string, isToldBelow: boolean): string {
  if (isToldBelow) return /\[\]$|^readonly .*\[\]$/.test(type) ? 'object[]' : 'object';
  return type.length <= MAX_TYPE ? type : `${type.slice(0, MAX_TYPE - 1)}…`;
}

const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);

/** The text of a comment, with links to what is described on the same page. */
function prose(text: string, own: readonly ApiExport[]): string {
  return text
    .replaceAll(/\{@link (\w+)(?:[^}]*)\}/g, (_, name: string) =>
      own.some((each) => each.name === name) ? `[\`${name}\`](#${slug(name)})` : code(name),
    )
    .replaceAll('docs/how-to/', 'how-to/');
}
