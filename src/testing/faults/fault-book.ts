import { randomFor } from '../random.js';
import { RuleList, type RuleHandle } from '../rule-list.js';
import type { ApiCall, Operation } from '../server/endpoint.js';
import { FAULT_EFFECTS, type FaultEffect, type FaultName } from './fault-effect.js';

/** When a fault applies. The first rule that applies to a request wins. */
export interface FaultRule {
  readonly on: Operation | readonly Operation[] | '*';
  /** Only requests for this object. */
  readonly id?: string;
  readonly where?: (call: ApiCall) => boolean;
  /** How many matching requests pass before the rule applies. @default 0 */
  readonly skip?: number;
  /** How often the rule applies in all. @default 1 */
  readonly times?: number;
  /** The chance that the rule applies to a matching request, drawn from the seed. @default 1 */
  readonly probability?: number;
  /** What happens, or the name of one of `FAULT_EFFECTS`. */
  readonly effect: FaultEffect | FaultName;
}

export type FaultHandle = RuleHandle;

interface Fault {
  readonly rule: FaultRule;
  readonly random: () => number;
  matches: number;
}

/** The faults in force. */
export class FaultBook {
  readonly #seed: number;
  readonly #faults = new RuleList<Fault>();
  #added = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  add(rule: FaultRule): FaultHandle {
    const random = randomFor(this.#seed, 'fault', this.#added);
    this.#added += 1;
    return this.#faults.add({ rule, random, matches: 0 });
  }

  clear(): void {
    this.#faults.clear();
  }

  /** The effect on this request, if a rule applies; counts a hit. */
  take(call: ApiCall): FaultEffect | undefined {
    const effect = this.#faults.take((fault, hits) => applies(fault, hits, call))?.rule.effect;
    return typeof effect === 'string' ? FAULT_EFFECTS[effect] : effect;
  }
}

function applies(fault: Fault, hits: number, call: ApiCall): boolean {
  if (!matches(fault.rule, call)) return false;
  fault.matches += 1;
  const { skip = 0, times = 1, probability = 1 } = fault.rule;
  return fault.matches > skip && hits < times && fault.random() < probability;
}

function matches({ on, id, where }: FaultRule, call: ApiCall): boolean {
  if (on !== '*' && ![on].flat().includes(call.operation)) return false;
  return (id === undefined || id === call.id) && (where === undefined || where(call));
}
