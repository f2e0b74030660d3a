import {
  linearCombination,
  runTrajectory,
  type SamplerOptions,
  type SamplerResult,
  type Sampling,
  stateOf,
} from "@offprint/diffusion";
import { ShapeError, type Tensor, type TensorLike } from "@offprint/tensor-core";

/** A two-step recursion between three neighbouring places of a grid, which can be solved for either end. */
export interface TwoStepRule {
  /** The plain one-step map from place `from` to place `to`, which begins a walk. */
  start(z: Tensor, from: number, to: number): Promise<Mapped>;
  /** What connects the neighbours of place `i`, where the state is `z`. */
  around(z: Tensor, i: number, memory: Tensor | null): Promise<Connection>;
}

/** A state, and what the next step needs to know of the one before. */
export interface Mapped {
  /** The state. */
  readonly z: Tensor;
  /** What a multistep rule remembers; null for nothing. */
  readonly memory: Tensor | null;
}

/** `z_{i-1} = above z_{i+1} + sum factors tensors`: all but the ends depends on `z_i` alone. */
export interface Connection {
  /** Factor of the state above. */
  readonly above: number;
  /** Factors of the tensors. */
  readonly factors: readonly number[];
  /** `z_i`, and what was predicted there. */
  readonly tensors: readonly Tensor[];
  /** What the next step needs to know; null for nothing. */
  readonly memory: Tensor | null;
}

/** Options of every exact sampler. */
export interface PairOptions<C = Tensor> extends SamplerOptions<C> {
  /**
   * The state one place on from `initial`, where it is known: `pair[1]` of the walk in the other direction. Without it the first step is a
   * plain one.
   */
  readonly next?: TensorLike;
}

/** What every exact sampler gives. */
export interface PairResult extends SamplerResult {
  /** The last state and the one before it: what the way back begins with, exactly. */
  readonly pair: readonly [last: Tensor, before: Tensor];
}

/** What a walk carries along. */
export interface Carried {
  /** The present state. */
  readonly z: Tensor;
  /** The one before it. */
  readonly before: Tensor;
  /** What a multistep rule remembers. */
  readonly memory: Tensor | null;
}

/** The state below place `i` from the one above. */
export async function stepDown(rule: TwoStepRule, { z, before, memory }: Carried, i: number): Promise<Carried> {
  const { above, factors, tensors, memory: kept } = await rule.around(z, i, memory);
  // Left out rather than multiplied by 0, so that the plain sampler comes out bit for bit.
  const next =
    above === 0 ? linearCombination(factors, tensors) : linearCombination([above, ...factors], [before, ...tensors]);
  return { z: next, before: z, memory: kept };
}

/** The state above place `i` from the one below: the same equation, solved for the other end. */
export async function stepUp(rule: TwoStepRule, { z, before }: Carried, i: number): Promise<Carried> {
  const { above, factors, tensors } = await rule.around(z, i, null);
  const next = linearCombination([1 / above, ...factors.map((factor) => -factor / above)], [before, ...tensors]);
  return { z: next, before: z, memory: null };
}

/** The first step of a walk: to the state that is known, or by the plain map. */
export async function firstStep(
  rule: TwoStepRule,
  z: Tensor,
  from: number,
  to: number,
  next: Tensor | undefined,
): Promise<Carried> {
  if (next !== undefined) return { z: next, before: z, memory: null };
  const mapped = await rule.start(z, from, to);
  return { z: mapped.z, before: z, memory: mapped.memory };
}

/** A known neighbour of the initial state, checked. @throws ShapeError */
export function neighbourOf(owner: string, z: Tensor, next: TensorLike | undefined): Tensor | undefined {
  if (next === undefined) return undefined;
  const known = stateOf(owner, "next", next, z.dtype as "float64");
  if (known.shape.join() === z.shape.join()) return known;
  throw new ShapeError(
    `${owner}: next has shape [${known.shape}] and initial [${z.shape}]; give the pair of one result`,
  );
}

/** Walks a whole grid by a rule, down to data or up to noise. */
export async function walk<C>(
  sampling: Sampling<C>,
  rule: TwoStepRule,
  direction: "down" | "up",
  known: TensorLike | undefined,
): Promise<PairResult> {
  const { levels, z: start, owner } = sampling;
  const next = neighbourOf(owner, start, known);
  const top = levels.length - 1;
  const place = (k: number) => (direction === "down" ? top - k : k);
  const { carried, ...result } = await runTrajectory<C, Carried>(sampling, {
    initial: () => ({ z: start, before: start, memory: null }),
    step: (state, k) => {
      if (k === 1) return firstStep(rule, state.z, place(0), place(1), next);
      return direction === "down" ? stepDown(rule, state, place(k - 1)) : stepUp(rule, state, place(k - 1));
    },
    position: ({ z }) => z,
    placeAfter: place,
  });
  return { ...result, pair: [carried.z, carried.before] };
}
