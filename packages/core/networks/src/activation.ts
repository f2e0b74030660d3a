import { nearestWords, requireObject, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { type Parameters, type ScalarName, scalarFunction, scalarFunctions } from "./scalar-functions.js";

/** A scalar function that acts on every neuron. */
export interface ScalarActivation {
  /** Tells the kinds apart. */
  readonly kind: "scalar";
  /** Which function. */
  readonly name: ScalarName;
  /** Its parameters; those that are missing have their defaults. */
  readonly parameters?: Parameters;
}

/** A scalar function of which nothing is known but its difference quotients: it can be bounded, and not evaluated. */
export interface SlopeActivation {
  /** Tells the kinds apart. */
  readonly kind: "slope";
  /** Least difference quotient. */
  readonly alpha: number;
  /** Largest difference quotient. */
  readonly beta: number;
}

/** An activation that acts on groups of neighbouring neurons together. */
export type GroupActivation =
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
  | { readonly kind: "householder"; readonly v: ArrayLike<number> | readonly ArrayLike<number>[] };

/** Scalar functions that differ along a layer: identities carry values past a layer, as skip connections do. */
export interface MixedActivation {
  /** Tells the kinds apart. */
  readonly kind: "mixed";
  /** Each acts on the next `count` neurons of the flattened sample; the counts add up to its size. */
  readonly parts: readonly { readonly activation: ScalarActivation; readonly count: number }[];
}

/** How a hidden layer acts on its neurons. */
export type Activation = ScalarActivation | SlopeActivation | GroupActivation | MixedActivation;

/**
 * An activation by name: `maxmin`, `fullsort`, `relu`, `leakyRelu` (`slope` 0.01), `tanh`, `sigmoid`, `softplus`, `softsign`,
 * `elu`, `celu`, `selu` (`alpha`, `gamma`), `gelu`, `silu`, `identity`, `abs`, `clip` (`low` 0, `high` 1), `hardSigmoid`
 * (`alpha` 0.2, `beta` 0.5), `hardSwish`.
 *
 * @param parameters those that differ from their defaults
 * @throws ValueError for another name, or parameters that the function does not have or cannot take
 * @example
 * ```ts
 * import { activation } from "@offprint/networks";
 *
 * console.log(activation("leakyRelu", { slope: 0.1 })); // { kind: "scalar", name: "leakyRelu", parameters: { slope: 0.1 } }
 * ```
 */
export function activation(name: ScalarName | "maxmin" | "fullsort", parameters?: Parameters): Activation {
  if (name === "maxmin" || name === "fullsort") return { kind: name };
  const made: Activation = { kind: "scalar", name, ...(parameters === undefined ? {} : { parameters }) };
  scalarParameters(made);
  return made;
}

/** @internal Whether a layer is an activation. */
export function isActivation(layer: { readonly kind: string }): layer is Activation {
  return Object.hasOwn(kinds, layer.kind);
}

const kinds: Readonly<Record<Activation["kind"], true>> = {
  scalar: true,
  slope: true,
  maxmin: true,
  groupsort: true,
  fullsort: true,
  householder: true,
  mixed: true,
};

/**
 * @internal The parameters of a scalar activation, with defaults.
 *
 * @throws ValueError for names and values that make no sense
 */
export function scalarParameters({ name, parameters = {} }: ScalarActivation): Parameters {
  if (!Object.hasOwn(scalarFunctions, name)) {
    const known = ["maxmin", "fullsort", ...Object.keys(scalarFunctions)];
    const near = nearestWords(String(name), known);
    const hint = near.length === 0 ? "" : `; did you mean ${near.map((word) => `"${word}"`).join(" or ")}?`;
    throw new ValueError(`activation: "${name}" is not known${hint} Take one of ${known.join(", ")}`);
  }
  const own = scalarFunction(name);
  for (const [key, value] of Object.entries(parameters)) {
    if (!Object.hasOwn(own.parameters, key)) {
      const names = Object.keys(own.parameters);
      throw new ValueError(
        `activation: "${name}" has no parameter "${key}"; it has ${names.length === 0 ? "none" : names.join(", ")}`,
      );
    }
    // Only the ends of a clipping may be infinite.
    if (typeof value !== "number" || Number.isNaN(value) || (name !== "clip" && !Number.isFinite(value))) {
      throw new ValueError(`activation: the parameter "${key}" of "${name}" must be a number, got ${String(value)}`);
    }
  }
  const all = { ...own.parameters, ...parameters };
  const wrong = own.refuse?.(all);
  if (wrong !== undefined) throw new ValueError(`activation: "${name}": ${wrong}`);
  return all;
}

/** What an activation takes together. */
export interface Groups {
  /** Neurons in a group; 1 for scalar functions. */
  readonly size: number;
  /** Unit vectors of reflections: one for all groups, or one for each. */
  readonly vectors?: readonly Float64Array[];
}

/**
 * The groups of an activation on a layer of `width` neurons.
 *
 * @param owner names the layer in messages
 * @throws ValueError where the activation is none, or does not fit the width
 */
export function activationGroups(activation: Activation, width: number, owner: string): Groups {
  requireObject(owner, "activation", activation, "an Activation");
  const groups = (size: number, vectors?: readonly Float64Array[]): Groups => {
    if (!Number.isSafeInteger(size) || size < 1 || width % size !== 0) {
      throw new ValueError(`${owner} has ${width} neurons, which are not divisible by the group size ${size}`);
    }
    return vectors === undefined ? { size } : { size, vectors };
  };
  switch (activation.kind) {
    case "maxmin":
      return groups(2);
    case "groupsort":
      return groups(activation.groupSize);
    case "fullsort":
      return groups(width);
    case "householder": {
      const vectors = householderVectors(activation.v, width, owner);
      return groups(vectors[0].length, vectors);
    }
    case "scalar":
      scalarParameters(activation);
      return groups(1);
    case "mixed":
      checkParts(activation, width, owner);
      return groups(1);
    case "slope": {
      const { alpha, beta } = activation;
      if (!(Number.isFinite(alpha) && Number.isFinite(beta) && alpha <= beta)) {
        throw new ValueError(`${owner}: slopes must be finite with alpha <= beta, got [${alpha}, ${beta}]`);
      }
      return groups(1);
    }
    default:
      throw new ValueError(
        `${owner}: the activation's kind "${(activation as { kind: string }).kind}" is not known; take ${Object.keys(kinds).join(", ")}`,
      );
  }
}

function checkParts({ parts }: MixedActivation, width: number, owner: string): void {
  if (!Array.isArray(parts)) throw new ValueError(`${owner}: parts of a mixed activation must be a list`);
  let total = 0;
  for (const { activation, count } of parts as MixedActivation["parts"]) {
    if (activation?.kind !== "scalar" || !Number.isSafeInteger(count) || count < 1) {
      throw new ValueError(
        `${owner}: parts of a mixed activation must be { activation, count } with a scalar function by name and an integer count >= 1`,
      );
    }
    scalarParameters(activation);
    total += count;
  }
  if (total !== width) {
    throw new ValueError(
      `${owner} has ${width} neurons, and the parts of its activation ${total}; give one count for each`,
    );
  }
}

/**
 * What acts on each of the `width` neurons of a layer, where they do not act together.
 *
 * @throws ValueError where the activation does not fit the width; UnsupportedError for activations that act on groups
 * @example
 * ```ts
 * import { activation, neuronActivations } from "@offprint/networks";
 *
 * const parts = [{ activation: activation("relu"), count: 2 }, { activation: activation("identity"), count: 1 }] as const;
 * console.log(neuronActivations({ kind: "mixed", parts }, 3).map(({ name }) => name)); // [ 'relu', 'relu', 'identity' ]
 * ```
 */
export function neuronActivations(activation: ScalarActivation | MixedActivation, width: number): ScalarActivation[];
export function neuronActivations(activation: Activation, width: number): (ScalarActivation | SlopeActivation)[];
export function neuronActivations(activation: Activation, width: number): (ScalarActivation | SlopeActivation)[] {
  activationGroups(activation, width, "neuronActivations: a layer");
  if (activation.kind === "mixed")
    return activation.parts.flatMap((part) => new Array<ScalarActivation>(part.count).fill(part.activation));
  if (activation.kind === "scalar" || activation.kind === "slope")
    return new Array<ScalarActivation | SlopeActivation>(width).fill(activation);
  throw new UnsupportedError(
    `neuronActivations: the activation "${activation.kind}" acts on groups of neurons; give scalar functions by name`,
  );
}

function householderVectors(
  v: ArrayLike<number> | readonly ArrayLike<number>[],
  width: number,
  owner: string,
): Float64Array[] {
  if (!(v?.length > 0)) throw new ValueError(`${owner}: v of a reflection must be a unit vector, got an empty one`);
  const nested = typeof v[0] !== "number";
  const vectors = (nested ? (v as readonly ArrayLike<number>[]) : [v as ArrayLike<number>]).map((x) => unit(x, owner));
  const size = vectors[0].length;
  if (vectors.some((x) => x.length !== size))
    throw new ValueError(`${owner}: all vectors of reflections must have one length`);
  if (nested && vectors.length * size !== width) {
    throw new ValueError(`${owner}: ${vectors.length} vectors of length ${size} do not cover ${width} neurons`);
  }
  return vectors;
}

function unit(x: ArrayLike<number>, owner: string): Float64Array {
  const v = Float64Array.from(x);
  const norm = Math.hypot(...v);
  if (v.length === 0 || !(Math.abs(norm - 1) <= 1e-6)) {
    throw new ValueError(`${owner}: v of a reflection must be a unit vector (to 1e-6), got norm ${norm}`);
  }
  return v.map((value) => value / norm);
}
