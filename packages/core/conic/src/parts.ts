/** @internal A computation in parts: whoever runs it may do something else, or give it up, wherever it yields. */
export type Parts<T> = Generator<undefined, T, undefined>;

/** @internal Runs all parts in one go. */
export function inOneGo<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}
