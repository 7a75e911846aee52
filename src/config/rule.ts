/** Rules about several fields of an object. */

type Fields = Readonly<Record<string, unknown>>;

/**
 * The arguments of a refinement that is also checked where another field has a fault, so that all are told at once.
 *
 * @param field the field that the fault is told of; null: the object itself
 * @param holds sees the object as it was written; its fields may be of any type
 */
export function rule(field: string | null, error: string, holds: (fields: Fields) => boolean) {
  const check = (value: unknown): boolean => typeof value !== 'object' || value === null || holds(value as Fields);
  return [check, { error, when: () => true, ...(field !== null && { path: [field] }) }] as const;
}
