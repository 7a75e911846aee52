/** Pages of HTML, read as a browser reads them. */
import { parse, type DefaultTreeAdapterTypes } from 'parse5';

type Node = DefaultTreeAdapterTypes.ChildNode;
export type PageElement = DefaultTreeAdapterTypes.Element;

export interface HtmlPage {
  /** All elements of a name, in the order of the page. */
  readonly all: (name: string) => PageElement[];
  /** The text of the section with the heading; empty where there is none. */
  readonly section: (heading: string) => string;
  /** The names of all elements. */
  readonly names: ReadonlySet<string>;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

export function readHtml(text: string): HtmlPage {
  const elements = elementsOf(parse(text).childNodes);
  const all = (name: string) => elements.filter(({ tagName }) => tagName === name);
  const headed = (heading: string) => (element: PageElement) =>
    elementsOf(element.childNodes).some(
      ({ tagName, childNodes }) => tagName === 'h2' && textOf(childNodes) === heading,
    );
  return {
    all,
    section: (heading) =>
      all('section')
        .filter(headed(heading))
        .map(({ childNodes }) => textOf(childNodes))
        .join(' '),
    names: new Set(elements.map(({ tagName }) => tagName)),
    attributes: elements.flatMap(({ attrs }) => attrs),
  };
}

function elementsOf(nodes: readonly Node[]): PageElement[] {
  return nodes.flatMap((node) => ('tagName' in node ? [node, ...elementsOf(node.childNodes)] : []));
}

/** With single spaces. */
export function textOf(nodes: readonly Node[]): string {
  const texts = nodes.map((node) => {
    if ('value' in node) return node.value;
    return 'childNodes' in node ? ` ${textOf(node.childNodes)} ` : '';
  });
  return texts.join('').replace(/\s+/g, ' ').trim();
}
