import { BRACE, JsonSkim, QUOTE } from '../jsonl/json-skim.js';
import type { Line } from '../jsonl/lines.js';
import type { IdsByLine } from '../jsonl/ids-by-line.js';

const ID = 0;
const METHOD = 1;
const URL = 2;
const BODY = 3;
const MODEL = 4;
const STREAM = 5;
const FIELDS = [['custom_id'], ['method'], ['url'], ['body'], ['body', 'model'], ['body', 'stream']];
const POST = Buffer.from('"POST"');
const TRUE_START = 0x74;

/** A value as written, and read. */
interface Written {
  readonly written: Buffer;
  readonly value: string;
}

const NONE: Written = { written: Buffer.alloc(0), value: '' };

/** Looks at lines of a batch's input for those that are right, which need no parsing; the fields are those of the last one. */
export class RequestSkim {
  /** In UTF-16 units. */
  idLength = 0;
  readonly #skim = new JsonSkim(FIELDS);
  #line: Line | null = null;
  #isPlain = false;
  /** The values of the line before: most lines have the same, and need no new strings. */
  #url = NONE;
  #model = NONE;

  get id(): string {
    return this.#skim.text(ID) ?? '';
  }

  get url(): string {
    return this.#url.value;
  }

  get model(): string {
    return this.#model.value;
  }

  /**
   * Whether the line surely is a request with an id, `POST`, a url, a model, and no stream, none of them empty but perhaps the url.
   * False says nothing against it: then the line has to be parsed.
   */
  read(line: Line): boolean {
    const skim = this.#skim;
    if (line.problem !== null || !skim.skim(line.block, line.start, line.end)) return false;
    if (!skim.is(METHOD, POST) || skim.kind(BODY) !== BRACE || skim.kind(STREAM) === TRUE_START) return false;
    if (skim.kind(URL) !== QUOTE || skim.kind(MODEL) !== QUOTE) return false;
    if (!skim.is(URL, this.#url.written)) this.#url = this.#written(URL, line);
    if (!skim.is(MODEL, this.#model.written)) this.#model = this.#written(MODEL, line);
    this.#line = line;
    this.#isPlain = skim.isPlain(ID);
    this.idLength = this.#isPlain ? skim.ends[ID]! - skim.starts[ID]! - 2 : this.id.length;
    return this.idLength > 0 && this.model !== '';
  }

  /** Most ids are plain, and need no string. */
  pushId(ids: IdsByLine, number: number): void {
    const { starts, ends } = this.#skim;
    if (this.#isPlain) ids.pushPlain(this.#line!.block, starts[ID]! + 1, ends[ID]! - 1, number);
    else ids.push(this.id, number);
  }

  #written(slot: number, line: Line): Written {
    const written = Buffer.from(line.block.subarray(this.#skim.starts[slot], this.#skim.ends[slot]));
    return { written, value: this.#skim.text(slot) ?? '' };
  }
}
