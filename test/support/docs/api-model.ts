/** What the package exports, as its declarations in dist/ tell a user's editor. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Node,
  Project,
  ts,
  TypeFormatFlags,
  type ClassDeclaration,
  type ExportedDeclarations,
  type JSDoc,
  type Symbol as TsSymbol,
  type Type,
} from 'ts-morph';
import { ROOT } from './pages.js';

/** What a comment says. */
export interface Doc {
  readonly text: string;
  /** By the name of their tag, in their order. */
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

export interface ApiField extends Doc {
  /** Its name, or what it looks like as a method. */
  readonly signature: string;
  readonly type: string | null;
  readonly fields: readonly ApiField[];
}

export interface ApiExport extends Doc {
  readonly name: string;
  readonly kind: 'class' | 'function' | 'type' | 'constant';
  /** One line of TypeScript; null where the fields say more. */
  readonly signature: string | null;
  readonly fields: readonly ApiField[];
  /** The same for an export of several entry points. */
  readonly identity: object;
}

export interface EntryPoint {
  /** As it is imported, such as `temporal-llm-jobs/client`. */
  readonly name: string;
  readonly exports: readonly ApiExport[];
}

const MAX_DEPTH = 3;
const DIST = join(ROOT, 'dist');
const FLAGS =
  TypeFormatFlags.NoTruncation |
  TypeFormatFlags.UseAliasDefinedOutsideCurrentScope |
  TypeFormatFlags.UseSingleQuotesForStringLiteralType;

/** The entry points with types, in the order of package.json. */
export function readApi(): EntryPoint[] {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    name: string;
    exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  const project = new Project({
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      skipLibCheck: true,
      // Without those of browsers and of Node, which take a second to read.
      lib: ['lib.es2023.d.ts'],
      types: [],
    },
    skipFileDependencyResolution: true,
  });
  const typed = Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string' ? [] : [{ name: name + path.slice(1), file: join(ROOT, target.types) }],
  );
  const files = typed.map(({ file }) => project.addSourceFileAtPath(file));
  return typed.map((entry, index) => ({
    name: entry.name,
    exports: [...files[index]!.getExportedDeclarations()]
      .flatMap(([exported, [declaration]]) => (declaration ? [exportOf(exported, declaration)] : []))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }));
}

function exportOf(name: string, declaration: ExportedDeclarations): ApiExport {
  const base = { name, identity: declaration.compilerNode, ...docOf(declaration.getSymbolOrThrow()) };
  if (Node.isFunctionDeclaration(declaration)) {
    return { ...base, kind: 'function', signature: oneLine(declaration.getText()), fields: [] };
  }
  if (Node.isClassDeclaration(declaration)) {
    return { ...base, kind: 'class', signature: headOf(declaration), fields: membersOf(declaration) };
  }
  if (Node.isVariableDeclaration(declaration)) return { ...base, kind: 'constant', signature: null, fields: [] };
  const type = declaration.getType();
  const fields = fieldsOf(type, declaration, MAX_DEPTH);
  const written = Node.isTypeAliasDeclaration(declaration) ? oneLine(declaration.getTypeNodeOrThrow().getText()) : null;
  const isTold = fields.length > 0 || written === null || /\bz\.(?:input|output|infer)\b/.test(written);
  return { ...base, kind: 'type', signature: isTold ? null : `type ${name} = ${written}`, fields };
}

const headOf = (declaration: ClassDeclaration): string => {
  const base = declaration.getExtends()?.getText();
  return `class ${declaration.getName() ?? ''}${base === undefined ? '' : ` extends ${oneLine(base)}`}`;
};

/** Whose constructors nobody calls but this package. */
const isError = (declaration: ClassDeclaration): boolean => declaration.getName()?.endsWith('Error') === true;

/** What an interface of the class says of a member. */
function docOfInterface(declaration: ClassDeclaration, name: string): Doc | null {
  const property = declaration
    .getImplements()
    .map((each) => each.getType().getProperty(name))
    .find((each) => each !== undefined);
  return property ? docOf(property) : null;
}

/** The public members of a class and of its bases in this package. */
function membersOf(declaration: ClassDeclaration): ApiField[] {
  const members = [
    ...declaration.getConstructors(),
    ...declaration.getStaticMembers(),
    ...declaration.getInstanceMembers(),
  ];
  const fields = members.flatMap((member): ApiField[] => {
    if (!Node.isModifierable(member) || Node.isParameterDeclaration(member)) return [];
    const isHidden =
      member.hasModifier('private') || member.hasModifier('protected') || member.getText().startsWith('#');
    const symbol = member.getSymbol();
    const isMade = Node.isConstructorDeclaration(member) && isError(declaration);
    if (isHidden || isMade || !symbol) return [];
    const jsDocs = Node.isJSDocable(member) ? member.getJsDocs() : [];
    const own = Node.isConstructorDeclaration(member) || jsDocs.length > 0 ? docOfNode(jsDocs) : docOf(symbol);
    const doc = own.text === '' ? (docOfInterface(declaration, symbol.getName()) ?? own) : own;
    return [{ signature: oneLine(member.getText()), type: null, fields: [], ...doc }];
  });
  const base = declaration.getBaseClass();
  if (!base || !isOurs(base)) return fields;
  const names = new Set(fields.map(({ signature }) => nameIn(signature)));
  const inherited = membersOf(base).filter(({ signature }) => !names.has(nameIn(signature)));
  return [...fields, ...inherited.filter(({ signature }) => !signature.startsWith('constructor'))];
}

const nameIn = (signature: string): string => /^(?:static |readonly |abstract |get )*(\w+)/.exec(signature)?.[1] ?? '';

/** The properties of an object that this package declares. */
function fieldsOf(type: Type, at: Node, depth: number): ApiField[] {
  if (depth === 0 || type.isUnion() || type.getCallSignatures().length > 0 || type.isArray()) return [];
  return type.getProperties().flatMap((property): ApiField[] => {
    const declarations = property.getDeclarations();
    if (declarations.length === 0 || !declarations.every(isOurs)) return [];
    const doc = docOf(property);
    const method = declarations.find((each) => Node.isMethodSignature(each));
    if (method) return [{ signature: oneLine(method.getText()), type: null, fields: [], ...doc }];
    const of = property.getTypeAtLocation(at).getNonNullableType();
    const optional = property.isOptional() ? '?' : '';
    return [
      {
        signature: `${property.getName()}${optional}`,
        type: typeText(property, at),
        fields: partsOf(of, at, depth),
        ...doc,
      },
    ];
  });
}

/** The fields of an object that has no name of its own, or of the elements of an array of such. */
function partsOf(type: Type, at: Node, depth: number): ApiField[] {
  const element = type.getArrayElementType();
  if (element) return partsOf(element, at, depth);
  const isNamed = type.getAliasSymbol() !== undefined || (type.getSymbol()?.getName() ?? '__type') !== '__type';
  return isNamed || !type.isObject() ? [] : fieldsOf(type, at, depth - 1);
}

function typeText(property: TsSymbol, at: Node): string {
  const [declaration] = property.getDeclarations();
  const written = Node.isPropertySignature(declaration) ? declaration.getTypeNode()?.getText() : undefined;
  const isSchema = written === undefined || /\bz\.Zod/.test(written);
  const text = isSchema ? property.getTypeAtLocation(at).getText(at, FLAGS) : written;
  return sorted(oneLine(text).replace(/ \| undefined$/, ''));
}

/** A union of texts, which the compiler puts in an order of its own. */
function sorted(type: string): string {
  const parts = type.split(' | ');
  return parts.every((part) => /^'[^']*'$/.test(part)) ? parts.toSorted().join(' | ') : type;
}

/** Without comments, modifiers of declarations and the paths of imports. */
function oneLine(text: string): string {
  return text
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
    .replaceAll(/import\("[^"]*"\)\./g, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/^(?:export |declare |default )*/, '')
    .replace(/;$/, '')
    .replaceAll('; }', ' }')
    .trim();
}

const isOurs = (node: Node): boolean => node.getSourceFile().getFilePath().startsWith(DIST.replaceAll('\\', '/'));

function docOf(symbol: TsSymbol): Doc {
  const { compilerSymbol } = symbol;
  return {
    text: ts.displayPartsToString(compilerSymbol.getDocumentationComment(undefined)).trim(),
    tags: compilerSymbol.getJsDocTags().map(({ name, text }) => ({ name, text: ts.displayPartsToString(text).trim() })),
  };
}

function docOfNode(docs: readonly JSDoc[]): Doc {
  const [doc] = docs;
  const tags = doc?.getTags().map((tag) => {
    const text = (tag.getCommentText() ?? '').trim();
    return { name: tag.getTagName(), text: Node.isJSDocParameterTag(tag) ? `${tag.getName()} ${text}` : text };
  });
  return { text: (doc?.getCommentText() ?? '').trim(), tags: tags ?? [] };
}
