import {
  type Activation,
  activationGroups,
  applyActivation,
  derivativeAt,
  neuronActivations,
  slopeBounds,
} from "@offprint/networks";
import { tensor } from "@offprint/tensor-core";

/** Neurons that one activation acts on together, and what is kept between its input and output increments. */
export interface NeuronGroup {
  /** First neuron among all neurons of the network. */
  readonly start: number;
  /** Number of neurons. */
  readonly size: number;
  /** Hidden layer or block, from 0. */
  readonly layer: number;
  /** `sort` keeps the sum, `reflection` what is orthogonal to `v`, `slope` nothing. */
  readonly kind: "sort" | "reflection" | "slope";
  /** Unit vector of a reflection. */
  readonly v?: Float64Array;
  /** Least slope, for `slope`. */
  readonly alpha: number;
  /** Largest slope, for `slope`. */
  readonly beta: number;
  /** The scalar function, where it is known. */
  readonly scalar?: Activation;
}

/**
 * @internal The groups of a layer of `width` neurons.
 *
 * @throws ValueError where the width does not fit, a vector is not a unit vector, or slopes are out of order
 */
export function neuronGroups(act: Activation, width: number, layer: number, start: number): NeuronGroup[] {
  const { size, vectors } = activationGroups(act, width, `network: hidden layer ${layer + 1}`);
  const units =
    act.kind === "slope" || act.kind === "scalar" || act.kind === "mixed" ? neuronActivations(act, width) : undefined;
  const own = (k: number): Pick<NeuronGroup, "kind" | "alpha" | "beta" | "v" | "scalar"> => {
    if (vectors !== undefined) return { kind: "reflection", alpha: 0, beta: 1, v: vectors[k % vectors.length] };
    if (units === undefined) return { kind: "sort", alpha: 0, beta: 1 };
    const { lower: alpha, upper: beta } = slopeBounds(units[k]);
    return { kind: "slope", alpha, beta, ...(units[k].kind === "scalar" ? { scalar: units[k] } : {}) };
  };
  return Array.from({ length: width / size }, (_, k) => ({ start: start + k * size, size, layer, ...own(k) }));
}

/** @internal Lipschitz constant of a group in l2. */
export function groupLipschitz(group: NeuronGroup): number {
  return group.kind === "slope" ? Math.max(Math.abs(group.alpha), Math.abs(group.beta)) : 1;
}

/**
 * @internal The linear maps that the activation of a group can be, `[size, size]` row-major: every permutation, the
 * identity and the reflection, or the two extreme slopes.
 */
export function groupPatterns(group: NeuronGroup): Float64Array[] {
  const { size, kind, v } = group;
  if (kind === "slope") return [Float64Array.of(group.alpha), Float64Array.of(group.beta)];
  if (kind === "reflection") return [eye(size), reflection(v as Float64Array)];
  return permutations(size).map((order) => {
    const p = new Float64Array(size * size);
    for (const [i, j] of order.entries()) p[i * size + j] = 1;
    return p;
  });
}

function eye(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0));
}

/** @internal I - 2 v v^T */
export function reflection(v: Float64Array): Float64Array {
  const n = v.length;
  return eye(n).map((value, k) => value - 2 * v[Math.floor(k / n)] * v[k % n]);
}

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((shorter) =>
    Array.from({ length: n }, (_, k) => [...shorter.slice(0, k), n - 1, ...shorter.slice(k)]),
  );
}

/**
 * @internal Applies the activation of a layer, whose first neuron is `offset`, to `u` in place, and returns the linear maps
 * that its groups are there.
 */
export function applyGroups(groups: readonly NeuronGroup[], u: Float64Array, offset = 0): Float64Array[] {
  const [{ scalar }] = groups;
  if (scalar === undefined) return groups.map((group) => applyGroup({ ...group, start: group.start - offset }, u));
  const slopes = Array.from(u, (x) => Float64Array.of(derivativeAt(scalar, x)));
  u.set(applyActivation(scalar, tensor(u.slice())).data() as Float64Array);
  return slopes;
}

function applyGroup(group: NeuronGroup, u: Float64Array): Float64Array {
  const { start, size, kind, v } = group;
  const x = u.slice(start, start + size);
  if (kind === "slope") {
    // Only the range is known: the steepest and the flattest slope, on either side of zero.
    const slope = x[0] > 0 ? group.beta : group.alpha;
    u[start] = slope * x[0];
    return Float64Array.of(slope);
  }
  if (kind === "reflection") {
    let along = 0;
    for (let i = 0; i < size; i++) along += (v as Float64Array)[i] * x[i];
    if (along > 0) return eye(size);
    for (let i = 0; i < size; i++) u[start + i] = x[i] - 2 * along * (v as Float64Array)[i];
    return reflection(v as Float64Array);
  }
  const order = Array.from(x.keys()).sort((i, j) => x[i] - x[j] || i - j);
  const p = new Float64Array(size * size);
  for (const [i, j] of order.entries()) {
    u[start + i] = x[j];
    p[i * size + j] = 1;
  }
  return p;
}
