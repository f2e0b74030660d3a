/**
 * A computation that asks: it yields questions, is given answers, and returns its result. Written so, an algorithm does
 * not know whether answers come at once or are promised.
 * @typeParam Q - a question, such as a point to evaluate
 * @typeParam A - its answer
 * @typeParam R - the result
 */
export type Asking<Q, A, R> = Generator<Q, R, A>;

/** Runs `asking` to its end with answers of `reply`; waits only where `reply` promises. */
export function answered<Q, A, R>(asking: Asking<Q, A, R>, reply: (question: Q) => A | Promise<A>): R | Promise<R> {
  let next = asking.next();
  while (!next.done) {
    const answer = reply(next.value);
    if (answer instanceof Promise) return answeredLater(asking, answer, reply);
    next = asking.next(answer);
  }
  return next.value;
}

async function answeredLater<Q, A, R>(
  asking: Asking<Q, A, R>,
  first: Promise<A>,
  reply: (question: Q) => A | Promise<A>,
): Promise<R> {
  let next = asking.next(await first);
  while (!next.done) next = asking.next(await reply(next.value));
  return next.value;
}
