/**
 * Remembers what an experiment gave, so that the claims about one experiment run it once. A failed or aborted one is
 * forgotten.
 */
export function remembered<M extends object, R>(): (method: M, key: string, run: () => Promise<R>) => Promise<R> {
  const known = new WeakMap<M, Map<string, Promise<R>>>();
  return (method, key, run) => {
    const ofMethod = known.get(method) ?? new Map<string, Promise<R>>();
    known.set(method, ofMethod);
    const found = ofMethod.get(key);
    if (found !== undefined) return found;
    const started = run();
    ofMethod.set(key, started);
    started.catch(() => ofMethod.delete(key));
    return started;
  };
}
