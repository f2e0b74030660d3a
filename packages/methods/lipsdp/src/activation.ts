import { ValueError } from "@offprint/tensor-core";
import { scalarFunctions } from "./scalar-function.js";

/** How a hidden layer acts on its neurons; those that act on groups take neighbouring neurons together. */
export type Activation =
  /** `[x1, x2] -> [min, max]` on pairs. */
  | { readonly kind: "maxmin" }
  /** Sorts each group of `groupSize` neurons in ascending order. */
  | { readonly kind: "groupsort"; readonly groupSize: number }
  /** Sorts the whole layer. */
  | { readonly kind: "fullsort" }
  /**
   * `x` where `v^T x > 0`, else its mirror image `(I - 2 v v^T) x`. One unit vector for all groups, or one per group;
   * its length is the size of the groups.
   */
  | { readonly kind: "householder"; readonly v: ArrayLike<number> | readonly ArrayLike<number>[] }
  /** A scalar function whose difference quotients lie in [alpha, beta]; `name` says which one, for `samplingBound`. */
  | { readonly kind: "slope"; readonly alpha: number; readonly beta: number; readonly name?: string };

const slopes: Readonly<Record<string, readonly [number, number]>> = {
  relu: [0, 1],
  tanh: [0, 1],
  sigmoid: [0, 0.25],
  softplus: [0, 1],
  elu: [0, 1],
  // The extremes of the derivatives, rounded outwards: -0.1290 and 1.1290, -0.0999 and 1.0999.
  gelu: [-0.1291, 1.1291],
  silu: [-0.1, 1.1],
  identity: [1, 1],
  abs: [-1, 1],
};

/**
 * An activation by name: `maxmin`, `fullsort`, `relu`, `tanh`, `sigmoid`, `softplus`, `elu`, `gelu`,
 * `silu`, `identity`, `abs`.
 *
 * @throws ValueError for another name
 * @example activation("relu") // { kind: "slope", alpha: 0, beta: 1, name: "relu" }
 */
export function activation(name: string): Activation {
  if (name === "maxmin" || name === "fullsort") return { kind: name };
  const range = Object.hasOwn(slopes, name) ? slopes[name] : undefined;
  if (range === undefined) {
    const known = ["maxmin", "fullsort", ...Object.keys(slopes)].join(", ");
    throw new ValueError(`activation: "${name}" is not known; take one of ${known}, or describe it by its kind`);
  }
  return { kind: "slope", alpha: range[0], beta: range[1], name };
}

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
  /** Which scalar function it is, where that is known. */
  readonly name?: string;
}

/**
 * @internal The groups of a layer of `width` neurons.
 *
 * @throws ValueError where the width does not fit, a vector is not a unit vector, or slopes are out of order
 */
export function neuronGroups(act: Activation, width: number, layer: number, start: number): NeuronGroup[] {
  const groups = (
    size: number,
    kind: NeuronGroup["kind"],
    more: (k: number) => Partial<NeuronGroup>,
  ): NeuronGroup[] => {
    if (!Number.isSafeInteger(size) || size < 1 || width % size !== 0) {
      throw new ValueError(
        `layer ${layer + 1} has ${width} neurons, which are not divisible by the group size ${size}`,
      );
    }
    return Array.from({ length: width / size }, (_, k) => {
      return { start: start + k * size, size, layer, kind, alpha: 0, beta: 1, ...more(k) };
    });
  };
  switch (act.kind) {
    case "maxmin":
      return groups(2, "sort", () => ({}));
    case "groupsort":
      return groups(act.groupSize, "sort", () => ({}));
    case "fullsort":
      return groups(width, "sort", () => ({}));
    case "householder": {
      const vectors = householderVectors(act.v, width);
      return groups(vectors[0].length, "reflection", (k) => ({ v: vectors[k % vectors.length] }));
    }
    case "slope": {
      const { alpha, beta, name } = act;
      if (name !== undefined && !Object.hasOwn(slopes, name)) {
        throw new ValueError(`activation: name "${name}" is not known; take one of ${Object.keys(slopes).join(", ")}`);
      }
      if (!(Number.isFinite(alpha) && Number.isFinite(beta) && alpha <= beta)) {
        throw new ValueError(`activation: slopes must be finite with alpha <= beta, got [${alpha}, ${beta}]`);
      }
      return groups(1, "slope", () => ({ alpha, beta, ...(name === undefined ? {} : { name }) }));
    }
    default:
      throw new ValueError(
        `activation: kind "${(act as { kind: string }).kind}" is not known; take maxmin, groupsort, fullsort, householder or slope`,
      );
  }
}

function householderVectors(v: ArrayLike<number> | readonly ArrayLike<number>[], width: number): Float64Array[] {
  if (v.length === 0) throw new ValueError("householder: v must be a unit vector, got an empty one");
  const nested = typeof v[0] !== "number";
  const vectors = (nested ? (v as readonly ArrayLike<number>[]) : [v as ArrayLike<number>]).map((x) => unit(x));
  const size = vectors[0].length;
  if (vectors.some((x) => x.length !== size)) throw new ValueError("householder: all vectors must have one length");
  if (nested && vectors.length * size !== width) {
    throw new ValueError(`householder: ${vectors.length} vectors of length ${size} do not cover ${width} neurons`);
  }
  return vectors;
}

function unit(x: ArrayLike<number>): Float64Array {
  const v = Float64Array.from(x);
  const norm = Math.hypot(...v);
  if (v.length === 0 || !(Math.abs(norm - 1) <= 1e-6)) {
    throw new ValueError(`householder: v must be a unit vector (to 1e-6), got norm ${norm}`);
  }
  return v.map((value) => value / norm);
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

/** @internal Applies the activation of a group to `u` in place, and returns the linear map that it is there. */
export function applyGroup(group: NeuronGroup, u: Float64Array): Float64Array {
  const { start, size, kind, v } = group;
  const x = u.slice(start, start + size);
  if (kind === "slope") {
    if (group.name !== undefined) {
      const known = scalarFunctions[group.name];
      u[start] = known.value(x[0]);
      return Float64Array.of(known.slope(x[0]));
    }
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
