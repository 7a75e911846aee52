import { describe, expect, test } from 'vitest';
import { splitRequests } from '../../../src/requests/split.js';
import { LIMITS, request, split } from '../../support/splitting.js';
import { textOf } from '../../support/streams.js';

describe('split', () => {
  test('duplicate over two files → refused, with both lines and both files', async () => {
    const { faults } = await split([request('a') + request('b'), request('c') + request('b')]);
    expect(faults).toEqual({
      total: 1,
      faults: [
        {
          line: 2,
          field: 'custom_id',
          message: expect.stringMatching(
            /^in file:\/\/\/in\/1\.jsonl: duplicate custom_id "b" \(first on line 2 of file:\/\/\/in\/0\.jsonl\)$/,
          ),
        },
      ],
    });
  });

  test('no custom_id, `fromLineNumber` → line-<n> over all files, the body unchanged', async () => {
    const bare = '{"url":"/v1/x","body":{"model":"m","n":1.50}}\n';
    const { parts, linesOf } = await split([bare, `\n${bare}`], { missingCustomIds: 'fromLineNumber' });
    expect(parts.flatMap(linesOf)).toEqual([
      '{"custom_id":"line-1","method":"POST","url":"/v1/x","body":{"model":"m","n":1.50}}',
      '{"custom_id":"line-3","method":"POST","url":"/v1/x","body":{"model":"m","n":1.50}}',
    ]);
  });

  test.each([
    ['no custom_id', '{"url":"/v1/chat/completions","body":{"model":"m"}}', 'custom_id'],
    ['another endpoint', request('a', 'm', '/v1/embeddings').trim(), 'url'],
    ['no model', '{"custom_id":"a","url":"/v1/chat/completions","body":{}}', 'body.model'],
    ['a stream', request('a', 'm', '/v1/chat/completions', { stream: true }).trim(), 'body.stream'],
    ['GET', '{"custom_id":"a","method":"GET","url":"/v1/chat/completions","body":{"model":"m"}}', 'method'],
  ])('%s → a fault that names line and field', async (_, line, field) => {
    const { faults } = await split([`${request('ok')}${line}\n`], { endpoint: '/v1/chat/completions' });
    expect(faults.faults).toEqual([expect.objectContaining({ line: 2, field })]);
  });

  test('only some requests → only these in parts, though all are checked', async () => {
    const { parts, requests, linesOf } = await split([request('a') + request('b') + request('c')], {
      only: (id) => id !== 'b',
    });
    expect(requests).toBe(3);
    expect(parts.flatMap(linesOf).join('\n')).not.toContain('"b"');
  });

  test('storage that fails → its error, and no part hangs', async () => {
    const broken = split([Array.from({ length: 20_000 }, (_, index) => request(`r${index}`)).join('')], {
      limits: { ...LIMITS, requests: 50_000, bytes: 1e9 },
      writePart: () => Promise.reject(new Error('disk full')),
    });
    await expect(broken).rejects.toThrow('disk full');
  });

  test.each([
    '"custom_id":"a","method":"POST","url":"/v1/x","body":{"model":"m"},"custom_id":"b"',
    '"method":"POST","custom_id":1,"url":"/v1/x","body":{"model":"m"},"custom_id":"b"',
    '"custom_id":"é","custom_id":"b","method":"POST","url":"/v1/x","body":{"model":"m"}',
    '"custom_id":"a","custom_\\u0069d":"b","method":"POST","url":"/v1/x","body":{"model":"m"}',
  ])('two custom_ids in a line (%s) → a fault, since readers differ in which one counts', async (fields) => {
    const { faults } = await split([`{${fields}}\n`]);
    const message = 'occurs twice in the line, with different values';
    expect(faults.faults).toEqual([{ line: 1, field: 'custom_id', message }]);
  });

  test('several faults in a line → each with its field', async () => {
    const { faults } = await split(['{"custom_id":"","method":"GET","url":"x","body":{"stream":true}}\n']);
    expect(faults.faults.map(({ field, message }) => [field, message])).toEqual([
      ['custom_id', 'must be a non-empty string, not an empty string'],
      ['method', 'must be "POST"'],
      ['url', 'must be a path such as /v1/chat/completions'],
      ['body.model', 'missing; must be the name of a model'],
      ['body.stream', 'must not be true: a batch does not stream'],
    ]);
  });

  test('null in place of a field that may be missing → a fault, not a second field', async () => {
    const lines = [{ custom_id: null }, { custom_id: 'a', url: null }, { custom_id: 'b', method: null }];
    const { faults } = await split(
      lines.map((fields) => `${JSON.stringify({ url: '/v1/x', body: { model: 'm' }, ...fields })}\n`),
      { missingCustomIds: 'fromLineNumber', endpoint: '/v1/x' },
    );
    expect(faults.faults.map(({ field }) => field)).toEqual(['custom_id', 'url', 'method']);
  });

  test.each([
    ['bytes', { ...LIMITS, bytes: 200 }, '297 bytes with its line break; the limit of a part is 200'],
    ['estimated tokens', { ...LIMITS, estimatedTokens: 50 }, 'estimated 75 tokens; the limit of a part is 50'],
  ])('a request that no part can take by its %s → a fault, and no part above the limit', async (_, limits, message) => {
    const large = request('large', 'm', '/v1/chat/completions', { pad: 'x'.repeat(200) });
    const { faults } = await split([request('a') + large + request('b')], { limits });
    expect(faults.faults).toEqual([{ line: 2, message }]);
  });

  test('too many models → a fault with the limit', async () => {
    const lines = Array.from({ length: 102 }, (_, index) => request(`r${index}`, `model-${index}`));
    const { faults } = await split([lines.join('')]);
    expect(faults.faults[0]).toMatchObject({
      line: 101,
      field: 'body.model',
      message: 'more than 100 combinations of model and endpoint',
    });
  });

  test('a fault → open parts are aborted, written ones are listed', async () => {
    const lines = [request('a'), request('b'), request('c'), 'no JSON\n', request('d'), request('e')];
    const begun: number[] = [];
    const { parts, faults } = await split([lines.join('')], {
      limits: { ...LIMITS, requests: 2 },
      writePart: async ({ number }, content) => {
        begun.push(number);
        await textOf(content);
        return { uri: `part:${number}`, bytes: 0, lines: 0, sha256: '' };
      },
    });
    expect(faults.total).toBe(1);
    expect([begun, parts.map(({ number }) => number)]).toEqual([[1, 2], [1]]);
  });

  test('slow storage → the reading waits for it', async () => {
    const line = request('x'.repeat(400), 'm').replace('x'.repeat(400), () => 'ID');
    let read = 0;
    let written = 0;
    let ahead = 0;
    const open = async function* () {
      for (let chunk = 0; chunk < 120; chunk += 1) {
        const text = Array.from({ length: 250 }, (_, index) => {
          const made = line.replace('ID', `r${chunk}-${index}`);
          return `${made.slice(0, -2)}${' '.repeat(900)}}\n`;
        }).join('');
        read += text.length;
        yield Buffer.from(text);
        ahead = Math.max(ahead, read - written);
      }
    };
    await splitRequests([{ uri: 'file:///x', open }], {
      limits: { requests: 1e6, bytes: 1e9, embeddingInputs: 1, lineBytes: 1e6 },
      missingCustomIds: 'refuse',
      writePart: async (_, content) => {
        for await (const chunk of content) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          written += chunk.length;
        }
        return { uri: '', bytes: written, lines: 0, sha256: '' };
      },
    });
    expect(written).toBe(read);
    expect([read > 25e6, ahead < 8e6]).toEqual([true, true]);
  });

  test('storage that reports completion too early → an error, and nothing hangs', async () => {
    const lines = Array.from({ length: 50_000 }, (_, index) => request(`r${index}`)).join('');
    const early = split([lines], {
      limits: { ...LIMITS, requests: 1e6, bytes: 1e9 },
      writePart: () => Promise.resolve({ uri: '', bytes: 0, lines: 0, sha256: '' }),
    });
    await expect(early).rejects.toThrow('complete before all lines were written');
  });
});
