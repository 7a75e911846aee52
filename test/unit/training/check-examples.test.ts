import { describe, expect, it } from 'vitest';
import { checkTrainingFile, type TrainingFileOptions } from '../../../src/training/check-examples.js';
import { jsonl } from '../../support/result-lines.js';
import { bytesOf } from '../../support/streams.js';

type Message = Record<string, unknown>;

const question: Message = { role: 'user', content: 'What is the capital of France?' };
const answer: Message = { role: 'assistant', content: 'Paris' };

function conversation(...messages: unknown[]) {
  return { messages };
}

function pair(changes: Record<string, unknown> = {}) {
  return { input: { messages: [question] }, preferred_output: [answer], non_preferred_output: [answer], ...changes };
}

/** The faults of one example, on line 11 after ten good ones. */
async function faultsOf(options: TrainingFileOptions, example: unknown): Promise<[string | undefined, string][]> {
  const good = { supervised: conversation(question, answer), dpo: pair(), reinforcement: conversation(question) };
  const lines = Array.from({ length: 10 }, () => good[options.method]);
  const { faults } = await checkTrainingFile(bytesOf(jsonl(...lines, example)), options);
  return faults.faults.map((fault) => {
    expect(fault.line).toBe(11);
    return [fault.field, fault.message];
  });
}

describe('supervised', () => {
  const supervised: TrainingFileOptions = { method: 'supervised' };
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };

  it.each<[string, unknown]>([
    ['the plain form', conversation({ role: 'system', content: 'Be brief' }, question, answer)],
    ['a developer message', conversation({ role: 'developer', content: 'Be brief' }, question, answer)],
    ['weights', conversation(question, { ...answer, weight: 0 }, question, { ...answer, weight: 1 })],
    ['parts of text', conversation({ role: 'user', content: [{ type: 'text', text: 'x' }] }, answer)],
    [
      'an image',
      conversation({ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }, answer),
    ],
    ['a refusal', conversation(question, { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] })],
    [
      'tools',
      {
        messages: [
          question,
          { role: 'assistant', tool_calls: [call] },
          { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
          { role: 'assistant', content: null, function_call: { name: 'weather', arguments: '{}' } },
          { role: 'function', name: 'weather', content: 'sunny' },
          answer,
        ],
        tools: [{ type: 'function', function: { name: 'weather', parameters: {} } }],
        parallel_tool_calls: false,
      },
    ],
  ])('supervised: %s → no fault', async (_, example) => {
    expect(await faultsOf(supervised, example)).toEqual([]);
  });

  it.each<[unknown, string, RegExp]>([
    [{}, 'messages', /^missing; must be a list/],
    [{ messages: [] }, 'messages', /, not an empty array$/],
    [{ messages: 'x' }, 'messages', /, not a string$/],
    [conversation(7, answer), 'messages[0]', /, not a number$/],
    [conversation({ role: 'robot', content: 'x' }, answer), 'messages[0].role', /^must be "system", .* or/],
    [conversation({ content: 'x' }, answer), 'messages[0].role', /^missing/],
    [conversation({ role: 'user' }, answer), 'messages[0].content', /^missing/],
    [conversation({ role: 'user', content: [] }, answer), 'messages[0].content', /, not an empty array$/],
    [conversation({ role: 'user', content: 7 }, answer), 'messages[0].content', /, not a number$/],
    [conversation({ role: 'user', content: ['x'] }, answer), 'messages[0].content[0]', /, not a string$/],
    [conversation({ role: 'user', content: [{ type: 'video' }] }, answer), 'messages[0].content[0].type', /must be "text"/],
    [conversation({ role: 'user', content: [{ type: 'text' }] }, answer), 'messages[0].content[0].text', /^missing/],
    [conversation({ role: 'user', content: [{ type: 'image_url', image_url: {} }] }, answer), 'messages[0].content[0].image_url.url', /URL/],
    [conversation({ role: 'system', content: [{ type: 'image_url', image_url: { url: 'x' } }] }, answer), 'messages[0].content[0].type', /must be "text"/],
    [conversation(question, { role: 'assistant' }), 'messages[1].content', /unless the message calls a tool$/],
    [conversation(question, { role: 'assistant', tool_calls: [] }), 'messages[1].tool_calls', /, not an empty array$/],
    [conversation(question, { role: 'assistant', tool_calls: [{ id: 'x' }] }), 'messages[1].tool_calls[0].function', /arguments/],
    [conversation({ ...question, tool_calls: [call] }, answer), 'messages[0].tool_calls', /only allowed in messages of the assistant/],
    [conversation({ ...question, weight: 1 }, answer), 'messages[0].weight', /only allowed in messages of the assistant/],
    [conversation(question, { ...answer, weight: 0.5 }), 'messages[1].weight', /0 or 1/],
    [conversation({ role: 'tool', content: 'x' }, answer), 'messages[0].tool_call_id', /^missing/],
    [conversation({ role: 'function', content: 'x' }, answer), 'messages[0].name', /^missing/],
    [conversation(answer, question), 'messages[1].role', /must be "assistant"/],
    [{ ...conversation(question, answer), tools: {} }, 'tools', /^must be a list, not an object$/],
    [{ ...conversation(question, answer), tools: [{ type: 'function' }] }, 'tools[0]', /whose function has a name/],
    [{ prompt: 'x', completion: 'y' }, 'messages', /babbage-002 and davinci-002/],
  ])('supervised: %j → a fault of %s', async (example, field, message) => {
    expect(await faultsOf(supervised, example)).toEqual([[field, expect.stringMatching(message)]]);
  }); // prettier-ignore

  it('supervised: pairs for davinci-002 or a model fine-tuned from it → no fault; messages for it → a fault', async () => {
    const pairs = Array.from({ length: 10 }, () => ({ prompt: 'x', completion: 'y' }));
    for (const model of ['davinci-002', 'babbage-002', 'ft:davinci-002:acme::1']) {
      const report = await checkTrainingFile(bytesOf(jsonl(...pairs)), { method: 'supervised', model });
      expect(report.faults.total).toBe(0);
      const other = await checkTrainingFile(bytesOf(jsonl(...pairs, conversation(question, answer))), {
        method: 'supervised',
        model,
      });
      expect(other.faults.faults.map(({ field }) => field)).toEqual(['prompt', 'completion']);
    }
  });
});

describe('dpo', () => {
  it.each<[unknown, string, RegExp]>([
    [pair({ input: undefined }), 'input', /^missing/],
    [pair({ input: { messages: [] } }), 'input.messages', /, not an empty array$/],
    [pair({ input: { messages: [question], tools: 1 } }), 'input.tools', /, not a number$/],
    [pair({ preferred_output: undefined }), 'preferred_output', /^missing/],
    [pair({ preferred_output: 'Paris' }), 'preferred_output', /, not a string$/],
    [pair({ non_preferred_output: [] }), 'non_preferred_output', /, not an empty array$/],
    [pair({ non_preferred_output: [question] }), 'non_preferred_output[0].role', /must be "assistant"/],
  ])('dpo: %j → a fault of %s', async (example, field, message) => {
    expect(await faultsOf({ method: 'dpo' }, example)).toEqual([[field, expect.stringMatching(message)]]);
  });

  it('dpo: a supervised example → what is missing', async () => {
    const fields = (await faultsOf({ method: 'dpo' }, conversation(question, answer))).map(([field]) => field);
    expect(fields).toEqual(['input', 'preferred_output', 'non_preferred_output']);
  });
});

describe('reinforcement', () => {
  it.each<[unknown, string, RegExp]>([
    [conversation(question, answer), 'messages[1].role', /must be "user"/],
    [
      conversation({ role: 'function', name: 'f', content: 'x' }, question),
      'messages[0].role',
      /^must be "system", .* or/,
    ],
    [{}, 'messages', /^missing/],
  ])('reinforcement: %j → a fault of %s', async (example, field, message) => {
    expect(await faultsOf({ method: 'reinforcement' }, example)).toEqual([[field, expect.stringMatching(message)]]);
  });

  it('reinforcement: a prompt with fields for the grader → no fault', async () => {
    expect(await faultsOf({ method: 'reinforcement' }, { ...conversation(question), reference: 'Paris' })).toEqual([]);
  });
});

describe('the file', () => {
  it('training file: nine examples → a fault of the file; ten → none; one is enough for validation', async () => {
    const lines = Array.from({ length: 10 }, () => conversation(question, answer));
    const check = (count: number, options: Partial<TrainingFileOptions> = {}) =>
      checkTrainingFile(bytesOf(jsonl(...lines.slice(0, count))), { method: 'supervised', ...options });
    expect((await check(9)).faults).toEqual({
      faults: [{ message: '9 examples; the minimum is 10' }],
      total: 1,
    });
    expect(await check(10)).toMatchObject({ examples: 10, faults: { total: 0 } });
    expect((await check(1, { role: 'validation' })).faults.total).toBe(0);
    expect((await check(0, { role: 'validation' })).faults.total).toBe(1);
    expect((await check(10, { limits: { bytes: 100 } })).faults.faults[0]!.message).toMatch(
      /the limit of a file is 100$/,
    );
  });

  it('training file: faults everywhere → the first 20, all counted, no content quoted', async () => {
    const bad = { messages: [{ role: 'TOPSECRET', content: 'TOPSECRET' }], prompt: 'TOPSECRET' };
    const { faults } = await checkTrainingFile(bytesOf(jsonl(...Array.from({ length: 50 }, () => bad), 'TOPSECRET')), {
      method: 'supervised',
    });
    expect(faults.faults).toHaveLength(20);
    expect(faults.total).toBe(101);
    expect(JSON.stringify(faults)).not.toContain('TOPSECRET');
  });
});

describe('models and rules of other providers', () => {
  const model = 'meta-llama/Meta-Llama-3.1-8B-Instruct';
  const examples = [{ prompt: 'p', completion: 'c' }, { text: 'free text' }, conversation(question, answer)];

  it.each<[string, Partial<TrainingFileOptions>, number]>([
    ["another provider's model", { model }, 0],
    ["OpenAI's model, by the rules of the provider", { model: 'gpt-4o', rules: 'provider' }, 0],
    ["OpenAI's model", { model: 'gpt-4o' }, 3],
  ])('three examples in three formats for %s → %o: %i faults', async (_, options, total) => {
    const report = await checkTrainingFile(bytesOf(jsonl(...examples)), { method: 'supervised', ...options });
    expect([report.examples, report.faults.total]).toEqual([3, total]);
  });

  it('a line that is not an object → a fault by any rules', async () => {
    const content = jsonl(...examples, '[1]');
    const { faults } = await checkTrainingFile(bytesOf(content), { method: 'supervised', model, rules: 'provider' });
    expect(faults.faults).toEqual([{ line: 4, message: 'must be a JSON object, not an array' }]);
  });

  it('an example with images of 36 MB → within the limits', async () => {
    const url = `data:image/jpeg;base64,${'A'.repeat(9 * 1024 * 1024)}`;
    const content = Array.from({ length: 4 }, () => ({ type: 'image_url', image_url: { url } }));
    const vision = conversation({ role: 'user', content }, answer);
    const others = Array.from({ length: 9 }, () => conversation(question, answer));
    const { faults } = await checkTrainingFile(bytesOf(jsonl(...others, vision)), { method: 'supervised' });
    expect(faults.total).toBe(0);
  });
});
