import type { Outcome } from "@offprint/cluster";

/** All outcomes, in the order of their arguments. */
export async function collected<R>(outcomes: AsyncIterable<Outcome<R>>): Promise<Outcome<R>[]> {
  const all: Outcome<R>[] = [];
  for await (const outcome of outcomes) all.push(outcome);
  return all.sort((a, b) => a.index - b.index);
}
