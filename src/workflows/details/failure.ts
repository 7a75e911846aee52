/** Why a run has failed, for its page: the type first, then the reason, the first faults, and what to do next. */
import { factsOf, type FailureFault, type ShownFailure } from '../../contract/failure-facts.js';
import { code, count } from './markdown.js';

const MAX_MESSAGE = 600;

export function describeFailure(failure: ShownFailure): string[] {
  const { type, message } = failure;
  const { isKnown, faults, others, ids, next } = factsOf(failure);
  return [
    `**${isKnown ? type : code(type)}:** ${code(message, MAX_MESSAGE)}`,
    ...listed([
      ...faults.map(describeFault),
      ...(others > 0 ? [`and ${count(others)} more, in the failure's details`] : []),
      ...ids.map(([label, text]) => `${label}: ${code(text)}`),
    ]),
    ...(next === null ? [] : ['', `**What next:** ${next}`]),
  ];
}

const listed = (lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', ...lines.map((line) => `- ${line}`)];

function describeFault({ line, names, message }: FailureFault): string {
  const where = [...(line === null ? [] : [`line ${count(line)}`]), ...names.map((name) => code(name, 100))];
  const what = code(message ?? 'no message');
  return where.length === 0 ? what : `${where.join(', ')}: ${what}`;
}
