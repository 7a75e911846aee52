import { LimitedRules, type RuleLimits } from '../faults/limited-rules.js';
import type { RuleHandle } from '../rule-list.js';
import type { WebhookEvent } from './webhook-event.js';
import type { WebhookEventType } from './event-types.js';

/** What a fault does to one event on its way to one endpoint. */
export type WebhookFaultEffect =
  /** It is never sent. */
  | { readonly kind: 'drop' }
  /** It is sent later. */
  | {
      readonly kind: 'delay';
      /** On the API's clock. */
      readonly ms: number;
    }
  /** It is sent several times, with the same `webhook-id`, at the same time. */
  | {
      readonly kind: 'duplicate';
      /** How often in all. @default 2 */
      readonly copies?: number;
    }
  /** It is held back until a later event has been sent to the endpoint. */
  | {
      readonly kind: 'reorder';
      /** Sent after this time on the API's clock if there is no later event. @default 600_000 */
      readonly atMostMs?: number;
    }
  /** It is signed with a wrong secret. */
  | {
      readonly kind: 'badSignature';
      /** How many attempts, before a right one. @default 1 */
      readonly attempts?: number;
    }
  /** Its timestamp is old, and signed. */
  | {
      readonly kind: 'staleTimestamp';
      /** @default 3_600 */
      readonly seconds?: number;
      /** How many attempts, before a right one. @default 1 */
      readonly attempts?: number;
    };

/** Ready-made effects by name. A test can iterate over them all. */
export const WEBHOOK_FAULTS = {
  drop: { kind: 'drop' },
  delay: { kind: 'delay', ms: 60_000 },
  duplicate: { kind: 'duplicate' },
  reorder: { kind: 'reorder' },
  badSignature: { kind: 'badSignature' },
  staleTimestamp: { kind: 'staleTimestamp' },
} as const satisfies Record<string, WebhookFaultEffect>;

/** The name of a fault of deliveries. */
export type WebhookFaultName = keyof typeof WEBHOOK_FAULTS;

/** When a fault applies. The first rule that applies to an event on its way to an endpoint wins. */
export interface WebhookFaultRule extends RuleLimits {
  readonly on: WebhookEventType | readonly WebhookEventType[] | '*';
  /** Only events of this job. */
  readonly jobId?: string;
  /** Only deliveries to this endpoint. */
  readonly endpointId?: string;
  /** What happens, or the name of one of `WEBHOOK_FAULTS`. */
  readonly effect: WebhookFaultEffect | WebhookFaultName;
}

/** The faults of webhooks in force. */
export class WebhookFaultBook {
  readonly #faults: LimitedRules<WebhookFaultRule>;

  constructor(seed: number) {
    this.#faults = new LimitedRules(seed, 'webhook-fault');
  }

  add(rule: WebhookFaultRule): RuleHandle {
    return this.#faults.add(rule);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** The effect on this event on its way to an endpoint, if a rule applies; counts a hit. */
  take(event: WebhookEvent, endpointId: string): WebhookFaultEffect | undefined {
    const effect = this.#faults.take((rule) => matches(rule, event, endpointId))?.effect;
    return typeof effect === 'string' ? WEBHOOK_FAULTS[effect] : effect;
  }
}

function matches(rule: WebhookFaultRule, { type, jobId }: WebhookEvent, endpointId: string): boolean {
  if (rule.on !== '*' && ![rule.on].flat().includes(type)) return false;
  if (rule.jobId !== undefined && rule.jobId !== jobId) return false;
  return rule.endpointId === undefined || rule.endpointId === endpointId;
}
