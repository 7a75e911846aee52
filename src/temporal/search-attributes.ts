/** Whether a namespace has the search attributes of runs, and how it gets them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.js';

/** Temporal's `IndexedValueType` of a keyword. */
const KEYWORD = 2;

const NAMES = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);

/** How long an answer may take: a run is waiting to be started. */
const ANSWER_MS = 5_000;
/** A namespace without them may get them. */
const ASKED_AGAIN_AFTER_MS = 60_000;
/** The frontends of a server take up new attributes within so long. */
const TAKEN_UP_WITHIN_MS = 20_000;
/** GRPC's `INVALID_ARGUMENT`. */
const INVALID_ARGUMENT = 3;

interface Known {
  readonly answer: Promise<boolean>;
  readonly askedAt: number;
  isRegistered: boolean;
}

const known = new WeakMap<object, Map<string, Known>>();

/**
 * Whether the namespace of the client has all of the attributes. It is asked once; where it has not, or does not tell,
 * again after a minute.
 */
export async function hasSearchAttributes(client: Client): Promise<boolean> {
  const { namespace } = client.options;
  const namespaces = known.get(client.connection) ?? new Map<string, Known>();
  known.set(client.connection, namespaces);
  const before = namespaces.get(namespace);
  if (before && (before.isRegistered || Date.now() - before.askedAt < ASKED_AGAIN_AFTER_MS)) return before.answer;
  const answer = client
    .withDeadline(Date.now() + ANSWER_MS, () => registered(client))
    .then((types) => NAMES.every((name) => types[name] === KEYWORD))
    .catch(() => false);
  const asked: Known = { answer, askedAt: Date.now(), isRegistered: false };
  namespaces.set(namespace, asked);
  asked.isRegistered = await answer;
  return answer;
}

/** After a start that was refused because of them. */
export function forgetSearchAttributes(client: Client): void {
  known.get(client.connection)?.delete(client.options.namespace);
}

/** Whether the server refused a call because of a search attribute. The client wraps the errors of its calls. */
export function isAboutSearchAttributes(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return [error, cause].some(
    (each) =>
      isGrpcServiceError(each) &&
      (each.code as number) === INVALID_ARGUMENT &&
      /search ?attribute|LlmJob/i.test(each.details),
  );
}

/** What {@link registerSearchAttributes} did. */
export interface Registration {
  /** Names that were added. */
  readonly added: readonly string[];
  /** Names that were there before. */
  readonly kept: readonly string[];
  /** Names that are there with another type, so that none can be used. */
  readonly conflicts: readonly string[];
  /** Whether the server takes them by now. */
  readonly isTakenUp: boolean;
}

/**
 * Registers what the namespace lacks of the attributes. It can be repeated.
 *
 * @throws the error of the call, such as `PERMISSION_DENIED` of Temporal Cloud
 */
export async function registerSearchAttributes(client: Client): Promise<Registration> {
  const { namespace } = client.options;
  const types = await registered(client);
  const added = NAMES.filter((name) => types[name] === undefined);
  const conflicts = NAMES.filter((name) => types[name] !== undefined && types[name] !== KEYWORD);
  const kept = NAMES.filter((name) => types[name] === KEYWORD);
  if (conflicts.length > 0) return { added: [], kept, conflicts, isTakenUp: false };
  if (added.length > 0) {
    const searchAttributes = Object.fromEntries(added.map((name) => [name, KEYWORD]));
    await client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  }
  forgetSearchAttributes(client);
  return { added, kept, conflicts, isTakenUp: await areTakenUp(client) };
}

async function registered(client: Client): Promise<Readonly<Record<string, number>>> {
  const { namespace } = client.options;
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  return customAttributes ?? {};
}

async function areTakenUp(client: Client): Promise<boolean> {
  const query = NAMES.map((name) => `${name} = 'x'`).join(' AND ');
  const until = Date.now() + TAKEN_UP_WITHIN_MS;
  while (true) {
    try {
      await client.workflow.count(query);
      return true;
    } catch (error) {
      if (!isAboutSearchAttributes(error)) throw error;
      if (Date.now() >= until) return false;
      await sleep(250);
    }
  }
}
