import { isTensor, nearestWords, requireObject, type Tensor, tree, ValueError } from "@offprint/tensor-core";
import { leavesLike, parameterLeaves } from "./parameter-leaves.js";
import { choicesOf, only, type Selection } from "./selection.js";
import type { GradientTransformation } from "./transformation.js";

/** The state of `masked`. */
export interface MaskedState<S> {
  /** Of the transformation, for the parameters that it sees. */
  readonly inner: S;
}

/**
 * A transformation of some of the parameters: it sees only those, and what comes in for the others goes on as it is. To
 * keep parameters from changing, use `partition` with `setToZero`.
 * @param mask true where the transformation acts
 * @throws ValueError for a mask that does not fit the parameters.
 * @example chain(masked(addDecayedWeights(1e-2), (path) => path.endsWith("weight")), adam()) // biases do not decay
 */
export function masked<S>(
  inner: GradientTransformation<S>,
  mask: Selection<boolean>,
): GradientTransformation<MaskedState<S>> {
  requireTransformation("masked", inner, "the first argument");
  const chosen = (p: ReturnType<typeof parameterLeaves>) =>
    choicesOf("masked", mask, p).map((choice) => {
      if (typeof choice === "boolean") return choice;
      throw new ValueError(`masked: the mask gives ${String(choice)}; it must be true or false`);
    });
  return {
    init(params) {
      const p = parameterLeaves("masked", params);
      return { inner: inner.init(only(p.structure, p.leaves, chosen(p))) };
    },
    update<P>(gradients: P, state: MaskedState<S>, params: P) {
      const p = parameterLeaves("masked", params);
      const g = leavesLike("masked", "gradients", gradients, p);
      const kept = chosen(p);
      const seen = only(p.structure, g, kept);
      const result = inner.update(seen, state.inner, only(p.structure, p.leaves, kept));
      const changed = tree.leaves<Tensor>(result.updates);
      let next = 0;
      const updates = g.map((x, i) => (kept[i] ? changed[next++] : x));
      return { updates: tree.unflatten<P>(p.structure, updates), state: { inner: result.state } };
    },
  };
}

/** The states of the parts of `partition`, by their names. */
export type PartitionState<T extends Readonly<Record<string, GradientTransformation>>> = {
  readonly [K in keyof T]: T[K] extends GradientTransformation<infer S> ? S : never;
};

/**
 * Each parameter to one of several transformations, which see only their own: other learning rates for some layers, or
 * parameters that stay as they are (`setToZero`).
 * @param parts the transformations by name
 * @param labels the name for every parameter
 * @throws ValueError for labels that do not fit the parameters or name no part.
 * @example partition({ trained: adam(), frozen: setToZero() }, { encoder: "frozen", head: "trained" })
 */
export function partition<const T extends Readonly<Record<string, GradientTransformation>>>(
  parts: T,
  labels: Selection<keyof T & string>,
): GradientTransformation<PartitionState<T>> {
  requireObject("partition", "parts", parts, "an object");
  const names = Object.keys(parts);
  if (names.length === 0) throw new ValueError("partition: no transformations given; give at least one");
  for (const name of names) requireTransformation("partition", parts[name], name);
  const labelled = (p: ReturnType<typeof parameterLeaves>) => {
    const choices = choicesOf("partition", labels, p);
    for (const choice of choices) {
      if (names.includes(choice)) continue;
      const [nearest] = nearestWords(String(choice), names);
      const hint = nearest === undefined ? "." : `; did you mean "${nearest}"?`;
      throw new ValueError(`partition: there is no part "${String(choice)}"${hint} Parts: ${names.join(", ")}`);
    }
    return choices;
  };
  return {
    init(params) {
      const p = parameterLeaves("partition", params);
      const choices = labelled(p);
      const states = names.map((name) => {
        const own = choices.map((choice) => choice === name);
        return [name, parts[name].init(only(p.structure, p.leaves, own))];
      });
      return Object.fromEntries(states) as PartitionState<T>;
    },
    update<P>(gradients: P, state: PartitionState<T>, params: P) {
      const p = parameterLeaves("partition", params);
      const g = leavesLike("partition", "gradients", gradients, p);
      const choices = labelled(p);
      const updates: Tensor[] = [];
      const states = names.map((name) => {
        const own = choices.map((choice) => choice === name);
        const result = parts[name].update(only(p.structure, g, own), state[name], only(p.structure, p.leaves, own));
        const changed = tree.leaves<Tensor>(result.updates);
        let next = 0;
        own.forEach((is, i) => {
          if (is) updates[i] = changed[next++];
        });
        return [name, result.state];
      });
      return {
        updates: tree.unflatten<P>(p.structure, updates),
        state: Object.fromEntries(states) as PartitionState<T>,
      };
    },
  };
}

function requireTransformation(owner: string, value: unknown, name: string): void {
  const has = (key: string) => typeof (value as Record<string, unknown> | null | undefined)?.[key] === "function";
  if (!isTensor(value) && has("init") && has("update")) return;
  throw new ValueError(`${owner}: ${name} is no transformation; give one, such as adam()`);
}
