import type { RuleHandle } from '../rule-list.js';
import type { ApiCall, Operation } from '../server/endpoint.js';
import { FAULT_EFFECTS, type FaultEffect, type FaultName } from './fault-effect.js';
import { LimitedRules, type RuleLimits } from './limited-rules.js';

/** When a fault applies. The first rule that applies to a request wins. */
export interface FaultRule extends RuleLimits {
  readonly on: Operation | readonly Operation[] | '*';
  /** Only requests for this object. */
  readonly id?: string;
  readonly where?: (call: ApiCall) => boolean;
  /** What happens, or the name of one of `FAULT_EFFECTS`. */
  readonly effect: FaultEffect | FaultName;
}

/** A fault that was added: how often it struck, and a function that removes it. */
export type FaultHandle = RuleHandle;

/** The faults in force. */
export class FaultBook {
  readonly #faults: LimitedRules<FaultRule>;

  constructor(seed: number) {
    this.#faults = new LimitedRules(seed, 'fault');
  }

  add(rule: FaultRule): FaultHandle {
    return this.#faults.add(rule);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** The effect on this request, if a rule applies; counts a hit. */
  take(call: ApiCall): FaultEffect | undefined {
    const effect = this.#faults.take((rule) => matches(rule, call))?.effect;
    return typeof effect === 'string' ? FAULT_EFFECTS[effect] : effect;
  }
}

function matches({ on, id, where }: FaultRule, call: ApiCall): boolean {
  if (on !== '*' && ![on].flat().includes(call.operation)) return false;
  return (id === undefined || id === call.id) && (where === undefined || where(call));
}
