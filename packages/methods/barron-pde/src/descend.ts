import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  NonFiniteError,
  requireFunction as requireCallable,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  ShapeError,
  ValueError,
} from "@offprint/tensor-core";
import type { Curvature, Lagrangian, Partials } from "./lagrangian.js";
import { requireFunction } from "./require-function.js";
import { type ModesData, SparseFourier } from "./sparse-fourier.js";

/** One iteration: norms of the function after it, and how it was made. */
export interface DescentRecord {
  /** From 1. */
  readonly iteration: number;
  /** The energy before it; NaN where the Lagrangian has none. */
  readonly energy: number;
  /** H1 norm of `G (DE(u) - f)` before it, with what products left out. */
  readonly residual: number;
  /** eta. */
  readonly stepSize: number;
  /** `(Lambda - lambda) / (Lambda + lambda)`: what the error is multiplied by at most, with the automatic step. */
  readonly factor: number;
  /** Barron norm after it. */
  readonly barron: number;
  /** Wiener norm after it, which bounds |u|. */
  readonly wiener: number;
  /** Frequencies after it. */
  readonly modes: number;
  /** The highest |omega| after it. */
  readonly bandLimit: number;
  /** `max(|dL/dy|, |dL/dz_i|) / max(1, |u|)^p` in Barron norms, before it: the paper's B_L, as measured. */
  readonly composition: number;
  /** H1 norm of what pruning took away after it. */
  readonly removed: number;
}

/** Where a descent stands, as a tree. */
export interface DescentState {
  /** u. */
  readonly u: ModesData;
  /** H1 norm of the preconditioned gradient at u. */
  readonly residual: number;
  /** The energy of the start, which no later one may exceed. */
  readonly first: { readonly energy: number; readonly residual: number };
  /** The last iteration's record; null before the first. */
  readonly record: Omit<DescentRecord, "iteration"> | null;
}

/** Options of `descend`. */
export interface DescendOptions extends RunOptions<DescentRecord, RunState<DescentState, DescentRecord>> {
  /** Where it begins. Default 0. */
  readonly initial?: SparseFourier;
  /** eta > 0, or `"auto"`: `2 / (lambda + Lambda)` on the segment of the step; `"descent"`: `1 / Lambda`. Default `"auto"`. */
  readonly stepSize?: "auto" | "descent" | number;
  /** Converged when the certified H1 error is at most this. Default 1e-6. */
  readonly tolerance?: number;
  /** Iterations at most, an integer >= 1. Default 200. */
  readonly maxIterations?: number;
  /** Coefficients up to this are left out after every iteration. Default `tolerance / 1000`, times a step below 1 that is chosen; less where what is left out together would hide the tolerance. */
  readonly pruneTolerance?: number;
  /** `"none"` descends in L2, which needs steps of about `1 / bandLimit^2`: shows what G is for. Default `"h1"`. */
  readonly preconditioner?: "h1" | "none";
}

/** What a descent gives. */
export interface DescentResult {
  /** The solution. */
  readonly u: SparseFourier;
  /** `|u - u*|_{H1}` is at most this. */
  readonly certificate: number;
  /** Bounds of the second variation at u. */
  readonly curvature: Curvature;
  /** How it ended. */
  readonly status: Status;
  /** Iterations done. */
  readonly iterations: number;
  /** A record for each. */
  readonly history: readonly DescentRecord[];
  /** To go on from, with `resume`. */
  readonly state: RunState<DescentState, DescentRecord>;
}

const optionNames = [
  ...runOptionNames,
  "initial",
  "stepSize",
  "tolerance",
  "maxIterations",
  "pruneTolerance",
  "preconditioner",
] as const satisfies readonly (keyof DescendOptions)[];

/** `DE(u) - f`. */
export interface Residual {
  /** The function. */
  readonly gradient: SparseFourier;
  /** `|G (DE(u) - f)|_{H1}` is known up to this: what products left out. */
  readonly lost: number;
  /** The energy at u; NaN where the Lagrangian has none. */
  readonly energy: number;
  /** The partial derivatives. */
  readonly partials: Partials;
  /** The derivatives of u. */
  readonly slopes: readonly SparseFourier[];
}

/**
 * The derivative of the energy at a function, `dL/dy - sum_i d_i dL/dz_i - f`.
 *
 * @param tolerance single terms of products up to this may be left out; counted in `lost`
 */
export function energyGradient(lagrangian: Lagrangian, f: SparseFourier, u: SparseFourier, tolerance = 0): Residual {
  requireObject("energyGradient", "lagrangian", lagrangian, "a Lagrangian");
  requireObject("energyGradient", "f", f, "a SparseFourier");
  requireObject("energyGradient", "u", u, "a SparseFourier");
  const slopes = u.gradient();
  requireCallable("energyGradient", "lagrangian.partials", lagrangian.partials);
  const partials = lagrangian.partials(u, slopes, (a, b) => a.multiply(b, tolerance));
  requirePartials(partials, u.dimension);
  const gradient = SparseFourier.sum([
    ...[{ u: partials.y }, { u: f, factor: -1 }],
    ...partials.z.map((z, axis) => ({ u: z.derivative(axis), factor: -1 })),
  ]);
  // |G e|_{H1} and |G d_i e|_{H1} are at most the Wiener norm of e.
  const lost = partials.z.reduce((sum, z) => sum + z.lost, partials.y.lost);
  return { gradient, lost, energy: (partials.energy ?? Number.NaN) - f.inner(u), partials, slopes };
}

/** @throws ValueError, ShapeError for partial derivatives that are none, or not one for every coordinate */
function requirePartials(partials: Partials, dimension: number): void {
  const owner = "lagrangian.partials";
  requireObject(owner, "what it gave", partials, "{ y, z }");
  requireFunction(owner, "y", partials.y);
  if (partials.z?.length !== dimension) {
    throw new ShapeError(
      `${owner}: z has ${partials.z?.length} entries; give an array of ${dimension}, the derivative by each part of the gradient`,
    );
  }
  for (const [axis, z] of partials.z.entries()) requireFunction(owner, `z[${axis}]`, z);
}

/** @throws ValueError for bounds of the curvature that are none */
function checkedCurvature(lagrangian: Lagrangian, u: SparseFourier, slopes: readonly SparseFourier[]): Curvature {
  const curvature = lagrangian.curvature(u, slopes);
  const { convexity, smoothness } = curvature ?? {};
  if (convexity > 0 && smoothness >= convexity && Number.isFinite(smoothness)) return curvature;
  throw new ValueError(
    `lagrangian.curvature: gave convexity ${convexity} and smoothness ${smoothness}; they must be finite, 0 < convexity <= smoothness`,
  );
}

/**
 * Descends the energy of a nonlinear elliptic equation, preconditioned: `u <- u - eta G (DE(u) - f)` with
 * `G = (1 - Laplacian)^-1`. In the H1 inner product that is gradient descent, so that errors shrink by a factor that does not depend on
 * the dimension, and every iterate is again a sum of cosines with a Barron norm that is known.
 *
 * @param lagrangian the equation
 * @param f the right-hand side
 * @throws ShapeError, ValueError for what does not fit; TooManyModesError where products grow too large; NonFiniteError,
 * with the last good state, where a given step is too long: the energy rises
 * @example
 * const { u, certificate } = await descend(quarticLagrangian({ beta: 1 }), SparseFourier.cosines([{ k: [1, 1], a: 8 }]));
 */
export async function descend(
  lagrangian: Lagrangian,
  f: SparseFourier,
  options: DescendOptions = {},
): Promise<DescentResult> {
  const owner = "descend";
  checkOptions(owner, options, optionNames);
  const { stepSize = "auto", tolerance = 1e-6, maxIterations = 200, pruneTolerance } = options;
  const { preconditioner = "h1", initial } = options;
  if (typeof stepSize === "number") requirePositive(owner, "stepSize", stepSize);
  else requireChoice(owner, "stepSize", stepSize, ["auto", "descent"]);
  requireNonNegative(owner, "tolerance", tolerance);
  if (pruneTolerance !== undefined) requireNonNegative(owner, "pruneTolerance", pruneTolerance);
  requireInteger(owner, "maxIterations", maxIterations, 1);
  requireChoice(owner, "preconditioner", preconditioner, ["h1", "none"]);
  requireFunction(owner, "f", f);
  requireObject(owner, "lagrangian", lagrangian, "a Lagrangian, such as quarticLagrangian({ beta: 1 })");
  requireCallable(owner, "lagrangian.curvature", lagrangian.curvature);
  const start = initial ?? SparseFourier.constant(f.dimension, 0, f.period);
  if (start.dimension !== f.dimension || start.period !== f.period) {
    throw new ShapeError(
      `${owner}: initial has ${start.dimension} coordinates of period ${start.period}, f ${f.dimension} of period ${f.period}; give both the same`,
    );
  }
  // What pruning and cut products leave out must not hide from the tolerance; rounding hides the rest.
  const wanted = Math.max(tolerance, 1e-13 * f.precondition().wiener());
  // Short steps add little to a mode: what is too little in one of them would never come to be.
  const prunedAfter = (u: SparseFourier, eta: number) => {
    if (pruneTolerance !== undefined) return u.prune(pruneTolerance);
    let least = (wanted / 1000) * (typeof stepSize === "number" ? 1 : Math.min(1, eta));
    let kept = u.prune(least);
    // Of many modes, high ones above all, so little each may be more than a step must bring.
    while (kept.removedH1 > (eta * wanted) / 4) kept = u.prune((least /= 4));
    return kept;
  };
  // Terms that pruning would take away anyway are not even added up; what they may do is in the certificate.
  const measure = (u: SparseFourier) => {
    let cut = (pruneTolerance ?? wanted / 1000) / 100;
    let found = energyGradient(lagrangian, f, u, cut);
    while (pruneTolerance === undefined && found.lost > wanted / 4) {
      cut /= 4;
      found = energyGradient(lagrangian, f, u, cut);
    }
    const g = found.gradient.precondition();
    return { ...found, g, residual: g.h1() + found.lost, curvature: checkedCurvature(lagrangian, u, found.slopes) };
  };
  const curvatureOf = (u: SparseFourier) => checkedCurvature(lagrangian, u, u.gradient());

  let at = { u: start, ...measure(start) };
  const curvatureAt = (data: ModesData) =>
    at.u.toData().re === data.re ? at.curvature : curvatureOf(SparseFourier.fromData(data));
  const run = await runLoop<DescentState, DescentRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => {
        const { energy, residual } = at;
        return { u: start.toData(), residual, first: { energy, residual }, record: null };
      },
      step({ u: data, first }) {
        // A resumed run begins at another function.
        if (at.u.toData().re !== data.re) {
          const u = SparseFourier.fromData(data);
          at = { u, ...measure(u) };
        }
        const { u, g, gradient, energy, residual, partials, curvature } = at;
        const direction = preconditioner === "h1" ? g : gradient;
        const { eta, factor } = stepAlong(u, direction, stepSize, curvature, curvatureOf);
        const { u: kept, removedH1 } = prunedAfter(SparseFourier.sum([{ u }, { u: direction, factor: -eta }]), eta);
        // An iterate is what it is: only its residual is known up to what products left out.
        const next = SparseFourier.fromData(kept.toData());
        at = { u: next, ...measure(next) };
        const rises = at.energy > first.energy + 1e-9 * (1 + Math.abs(first.energy));
        if (!Number.isFinite(at.residual) || rises || at.residual > 1e3 * (first.residual + 1)) {
          // Without the preconditioner, curvature grows with the square of the highest frequency.
          const longest = `about ${(2 / (1 + next.bandLimit ** 2)).toPrecision(1)}`;
          const remedy = preconditioner === "none" ? `lower it to ${longest}` : "lower it, or leave it out";
          throw new NonFiniteError(`the energy rises: stepSize ${eta} is too long; ${remedy}`);
        }
        const size = Math.max(1, u.barron()) ** lagrangian.degree;
        const record = {
          ...{ energy, residual, stepSize: eta, factor },
          ...{ barron: next.barron(), wiener: next.wiener(), modes: next.modes, bandLimit: next.bandLimit },
          composition: Math.max(partials.y.barron(), ...partials.z.map((each) => each.barron())) / size,
          removed: removedH1,
        };
        return { u: next.toData(), residual: at.residual, first, record };
      },
      record: ({ record }, iteration) => (record === null ? undefined : { iteration, ...record }),
      finished: ({ residual, u }) => (residual <= tolerance * curvatureAt(u).convexity ? "converged" : undefined),
    },
    options,
  );
  const { last, status, iterations, history, state } = run;
  const u = SparseFourier.fromData(last.u);
  const curvature = curvatureAt(last.u);
  return { u, certificate: last.residual / curvature.convexity, curvature, status, iterations, history, state };
}

/** The step and the factor it promises. Lambda is that of both ends of the segment, as Wiener norms are convex. */
function stepAlong(
  u: SparseFourier,
  direction: SparseFourier,
  stepSize: "auto" | "descent" | number,
  here: Curvature,
  curvatureOf: (u: SparseFourier) => Curvature,
): { eta: number; factor: number } {
  const choose = ({ convexity, smoothness }: Curvature) => {
    if (typeof stepSize === "number") return stepSize;
    return stepSize === "auto" ? 2 / (convexity + smoothness) : 1 / smoothness;
  };
  const until = (end: number) => {
    const { smoothness } = curvatureOf(SparseFourier.sum([{ u }, { u: direction, factor: -end }]));
    return { convexity: here.convexity, smoothness: Math.max(here.smoothness, smoothness) };
  };
  const longest = choose(here);
  let both = until(longest);
  let eta = choose(both);
  // Where curvature grows much on the way to the longest step, bounds of a shorter way allow more than those of the whole.
  for (let above = longest > 32 * eta ? longest : 0; above > 2 * eta; ) {
    const middle = Math.sqrt(above * eta);
    const nearer = until(middle);
    if (choose(nearer) >= middle) [eta, both] = [middle, nearer];
    else [above, eta, both] = choose(nearer) > eta ? [middle, choose(nearer), nearer] : [middle, eta, both];
  }
  return { eta, factor: (both.smoothness - both.convexity) / (both.smoothness + both.convexity) };
}
