import { runOptionNames } from "@offprint/solvers";
import { checkOptions, requireChoice, requireInteger, requireObject, requirePositive } from "@offprint/tensor-core";
import { barronRecursion, widthFor } from "./barron-recursion.js";
import { type DescendOptions, type DescentResult, descend } from "./descend.js";
import type { Lagrangian } from "./lagrangian.js";
import { type NetworkActivation, networkConstants } from "./neurons.js";
import { requireFunction } from "./require-function.js";
import type { SparseFourier } from "./sparse-fourier.js";
import { mostWidth, type SampledNetwork, sampleNetwork } from "./two-layer-network.js";

/** Options of `certify`: those of `descend` but for its tolerance, which follows from the accuracy. */
export interface CertifyOptions extends Omit<DescendOptions, "tolerance"> {
  /** L2 accuracy of the network, > 0. */
  readonly accuracy: number;
  /** Hidden units. Default `"cos"`, whose error is known exactly. */
  readonly activation?: NetworkActivation;
  /** Networks that are drawn at most until one is good enough. Default 20. */
  readonly bestOf?: number;
  /** Of the draws. Default 0. */
  readonly seed?: number | string;
}

/** Bounds and sizes of a solution and its network. */
export interface Certificate extends Omit<DescentResult, "certificate"> {
  /** The network; undefined where the descent ended before its tolerance was reached, and for more than 2^20 neurons. */
  readonly sampled: SampledNetwork | undefined;
  /** Neurons that its accuracy takes, from the solution as it is. */
  readonly width: number;
  /** Decimal logarithm of the neurons by the worst-case bound of the norm; undefined for ReLUs, which it does not bound. */
  readonly worstWidthLog10: number | undefined;
  /** Barron norm of the solution. */
  readonly barron: number;
  /** Decimal logarithms of what the recursions say of it; `refined` where the equation is semilinear. */
  readonly boundsLog10: { readonly general: number; readonly split?: number; readonly refined?: number };
  /** Where the L2 error comes from: the descent, modes that were left out, the draw. */
  readonly budget: { readonly descent: number; readonly truncation: number; readonly draw: number };
}

/**
 * How large a network a solution needs: descends until the error is certain, bounds the Barron norm on the way, and draws
 * a network of the width that the norm asks for.
 *
 * @throws what `descend` and `sampleNetwork` throw
 * @example
 * const { width, worstWidthLog10, sampled } = await certify(quarticLagrangian({ beta: 1 }), f, { accuracy: 0.05 });
 */
export async function certify(lagrangian: Lagrangian, f: SparseFourier, options: CertifyOptions): Promise<Certificate> {
  requireObject("certify", "lagrangian", lagrangian, "a Lagrangian");
  requireObject("certify", "f", f, "a SparseFourier");
  const owner = "certify";
  checkOptions(
    owner,
    options,
    [
      ...runOptionNames,
      ...["initial", "stepSize", "maxIterations", "pruneTolerance", "preconditioner"],
      ...["accuracy", "activation", "bestOf", "seed"],
    ],
    ["accuracy"],
  );
  const { accuracy, activation = "cos", bestOf = 20, seed = 0, ...descent } = options;
  requireFunction(owner, "f", f);
  requirePositive(owner, "accuracy", accuracy);
  requireChoice(owner, "activation", activation, ["cos", "step", "sigmoid", "relu"]);
  requireInteger(owner, "bestOf", bestOf, 1);
  // An error in H1 is none smaller in L2.
  const { certificate, ...run } = await descend(lagrangian, f, { ...descent, tolerance: accuracy / 4 });
  const { u, status } = run;
  const v = u.withoutSmallest(accuracy / 4);
  const { error } = networkConstants(v.realForm(), v.dimension, activation);
  const width = widthFor(accuracy / 2, error);
  const boundsLog10 = normBounds(lagrangian, f, run, descent.initial?.barron() ?? 0);
  const sampled =
    status === "converged" && width <= mostWidth
      ? sampleNetwork(v, { width, activation, bestOf, wanted: accuracy / 2, seed })
      : undefined;
  const worstNorm = Math.min(boundsLog10.general, boundsLog10.split ?? Infinity, boundsLog10.refined ?? Infinity);
  return {
    ...run,
    sampled,
    width,
    worstWidthLog10: worstWidth(worstNorm, activation, accuracy, f),
    barron: u.barron(),
    boundsLog10,
    budget: { descent: certificate, truncation: u.subtract(v).l2(), draw: sampled?.error ?? Number.NaN },
  };
}

/** What the recursions say after the run's steps; the constants of the first two are those that were measured along it. */
function normBounds(
  lagrangian: Lagrangian,
  f: SparseFourier,
  { history, u }: Pick<DescentResult, "history" | "u">,
  initial: number,
): Certificate["boundsLog10"] {
  const stepSize = history.map((record) => record.stepSize);
  const iterations = history.length;
  const composition = history.reduce((most, record) => Math.max(most, record.composition), 0);
  const bandLimit = history.reduce((most, record) => Math.max(most, record.bandLimit), 0);
  const { dimension } = u;
  const facts = { stepSize, initial, f: f.barron() };
  const last = (bounds: Float64Array) => Number(bounds.at(-1));
  const general = { ...facts, dimension, composition, degree: lagrangian.degree };
  const bounds = { general: last(barronRecursion("general", general, iterations)) };
  if (lagrangian.growth === undefined) return bounds;
  const growth = lagrangian.growth(bandLimit, dimension);
  const split = last(barronRecursion("split", { ...facts, growth }, iterations));
  const [cubic, ...others] = growth;
  const semilinear = cubic.power === 3 && others.every(({ coefficient }) => coefficient === 0) && initial === 0;
  if (!semilinear) return { ...bounds, split };
  const forced = f.precondition();
  const refined = barronRecursion(
    "refined",
    { stepSize, beta: cubic.coefficient, wienerF: forced.wiener(), barronF: forced.barron() },
    iterations,
  );
  return { ...bounds, split, refined: last(refined) };
}

/** From a bound of the Barron norm b: amplitudes are at most b together, and `sum a |k|_1` is at most `b P sqrt(d) / (2 pi)`. */
function worstWidth(
  normLog10: number,
  activation: NetworkActivation,
  accuracy: number,
  { dimension, period }: SparseFourier,
): number | undefined {
  if (activation === "relu") return undefined;
  const perNorm = activation === "cos" ? Math.SQRT1_2 : (4 * period * Math.sqrt(dimension)) / (2 * Math.PI);
  return Math.max(0, 2 * (normLog10 + Math.log10(perNorm) - Math.log10(accuracy / 2)));
}
