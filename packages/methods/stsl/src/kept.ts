/** What is kept for a sequence of objects: values by name, and what is kept for longer sequences. */
interface Kept {
  readonly values: Map<string, unknown>;
  readonly longer: WeakMap<object, Kept>;
}

const none = (): Kept => ({ values: new Map(), longer: new WeakMap() });
const root = none();

/** What was made under a name for the same objects before, or is made now; it lasts as long as the objects do. */
export function kept<T>(objects: readonly object[], name: string, make: () => T): T {
  let place = root;
  for (const object of objects) {
    const next = place.longer.get(object) ?? none();
    place.longer.set(object, next);
    place = next;
  }
  if (!place.values.has(name)) place.values.set(name, make());
  return place.values.get(name) as T;
}
