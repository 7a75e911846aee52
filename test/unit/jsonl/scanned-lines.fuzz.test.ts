import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBatchInput } from '../../../src/requests/check-input.js';
import { collected } from '../../support/collecting.js';
import { request, success, failure, unfinished } from '../../support/result-lines.js';
import { bytesOf } from '../../support/streams.js';
import { FUZZ_RUNS } from '../../support/fuzz.js';

/**
 * The same object with another field at its end, whose key has an escape: the scanner parses such a line. Where nothing
 * but spaces is behind the object, so that an invalid line stays invalid.
 */
function parsedLine(line: string): string {
  return line.replace(/(\{?)(\s*)\}( *)$/, (_, open: string, space: string, end: string) => {
    return `${open}${space}${open === '' ? ',' : ''}"\\u007a":0}${end}`;
  });
}

const id = fc.constantFrom('a', 'b', 'c', '', 'é"\\', '\u{1F600}', 7, null, undefined);
const other = fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, null, '', 0, 200, 299, 300, 1e3, -1, 1.5, '200', []));

/** Any of its fields changed, or something put before or behind, or a field written a second time. */
function changed(value: fc.Arbitrary<object>, names: readonly string[]): fc.Arbitrary<string> {
  const change = fc.dictionary(fc.constantFrom(...names), other, { maxKeys: 2 });
  const space = fc.constantFrom(undefined, 1, '\t');
  const ending = fc.constantFrom('', '', '', ' ', '}', ',"x":1}', ',"custom_id":"c"}', ',"body":{}}', ',"response":1}');
  return fc.tuple(value, change, space, ending).map(([object, changes, spaces, end]) => {
    const text = JSON.stringify({ ...object, ...changes }, null, spaces).replaceAll('\n', ' ');
    return end.startsWith(',') ? text.slice(0, -1) + end : text + end;
  });
}

const body = fc.record(
  {
    model: fc.constantFrom('m', 'n', '', 5),
    stream: fc.constantFrom(true, false, null),
    input: other,
    messages: other,
  },
  { requiredKeys: ['model'] },
);
const url = fc.constantFrom('/v1/chat/completions', '/v1/embeddings', '', 3);
const requestLine = changed(
  fc.record({ custom_id: id, url, body }).map(({ custom_id, ...changes }) => request(custom_id, changes)),
  ['custom_id', 'method', 'url', 'body', 'x'],
);

const count = fc.oneof(fc.nat(), fc.constantFrom(1e12, 1.5, -1, null, 'x'));
const tokens = ['prompt_tokens', 'completion_tokens', 'input_tokens', 'output_tokens', 'total_tokens'];
const usage = fc.oneof(fc.dictionary(fc.constantFrom(...tokens), count, { maxKeys: 4 }), other);
const name = fc.constantFrom('a', 'b', 'c', 'é"\\', 'unknown');
const resultLine = changed(
  fc.oneof(
    fc.tuple(name, usage).map(([customId, used]) => success(customId, used)),
    fc.tuple(name, fc.constantFrom(0, 199, 200, 299, 400, 500)).map(([customId, status]) => failure(customId, status)),
    name.map((customId) => unfinished(customId)),
    fc.tuple(name, other, other).map(([customId, response, error]) => ({ custom_id: customId, response, error })),
  ),
  ['custom_id', 'response', 'error', 'x'],
);

const lines = (line: fc.Arbitrary<string>) => fc.array(line, { minLength: 1, maxLength: 12 });

async function reported(requests: readonly string[], endpoint: string) {
  const report = await checkBatchInput(bytesOf(requests.join('\n')), { endpoint });
  const { model, embeddingInputs, faults } = report;
  // The position of a syntax error differs in a longer line.
  const listed = faults.faults.map((fault) => ({ ...fault, message: fault.message.replace(/ \(at .*\)/, '') }));
  return { requests: report.requests, model, embeddingInputs, listed, total: faults.total };
}

async function accounted(...contents: string[][]) {
  const [input, output, errors] = contents.map((content) => () => bytesOf(content.join('\n')));
  const results = await collected({ input: input!, output: output!, errors: errors! });
  return { ...results.summary, files: [results.output, results.errors].map(objectsIn) };
}

/** The lines without the field that makes the scanner leave them to `JSON.parse`; ids in them may have been corrected. */
function objectsIn(content: string | null): unknown[] | null {
  const texts = content?.split('\n').filter((text) => text !== '');
  return texts?.map((text) => ({ ...(JSON.parse(text) as object), z: 0 })) ?? null;
}

describe('lines that are scanned', () => {
  it('requests: any of them → the same report as when each is parsed', async () => {
    const endpoint = fc.constantFrom('/v1/chat/completions', '/v1/embeddings');
    await fc.assert(
      fc.asyncProperty(lines(requestLine), endpoint, async (requests, of) => {
        expect(await reported(requests, of)).toEqual(await reported(requests.map(parsedLine), of));
      }),
      { numRuns: FUZZ_RUNS * 5 },
    );
  });

  it('results: any of them → the same account as when each is parsed', async () => {
    const inputLine = changed(
      name.map((customId) => request(customId)),
      ['custom_id', 'x'],
    );
    await fc.assert(
      fc.asyncProperty(lines(inputLine), lines(resultLine), lines(resultLine), async (...contents) => {
        const parsed = await accounted(...contents.map((content) => content.map(parsedLine)));
        expect(await accounted(...contents)).toEqual(parsed);
      }),
      {
        numRuns: FUZZ_RUNS * 5,
        // Found by a random run: an object without fields, with something behind its brace.
        examples: [[[JSON.stringify(request('c'))], ['{,"custom_id":"c"}'], ['{}', '{,"x":1}']]],
      },
    );
  });
});
