/** One chat example of a training file. */
export const chatExample = (index: number): object => ({
  messages: [
    { role: 'user', content: `Question ${index}?` },
    { role: 'assistant', content: `Answer ${index}.` },
  ],
});

export const chatExamples = (count: number): object[] => Array.from({ length: count }, (_, i) => chatExample(i));

export const preferenceExamples = (count: number): object[] =>
  Array.from({ length: count }, (_, i) => ({
    input: { messages: [{ role: 'user', content: `Question ${i}?` }] },
    preferred_output: [{ role: 'assistant', content: 'Yes.' }],
    non_preferred_output: [{ role: 'assistant', content: 'No.' }],
  }));
