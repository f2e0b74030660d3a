import { type ConicOptions, solveConic } from "@offprint/conic";
import { ShapeError, type TensorLike } from "@offprint/tensor-core";
import { type Activation, groupLipschitz } from "./activation.js";
import { type OutputTerm, provenStacked, repairStacked } from "./certify-stacked.js";
import { constraintTerm, RowWriter } from "./dense-programme.js";
import {
  absolute,
  combine,
  largestEigenvalue,
  type Matrix,
  matrix,
  multiplyVector,
  place,
  transposed,
} from "./matrix.js";
import { allGroups, readMatrix } from "./network.js";
import { ROUNDOFF } from "./positive-proof.js";
import { zeroMultipliers } from "./quadratic-constraint.js";

/** The vector field `z' = H z + G phi(W z + b)`. */
export interface NeuralOde {
  /** `[d, d]` */
  readonly H: TensorLike;
  /** `[d, width]` */
  readonly G: TensorLike;
  /** `[width, d]` */
  readonly W: TensorLike;
  /** Of the hidden layer. */
  readonly activation: Activation;
}

/** Result of {@link localRateNeuralOde}. */
export interface NeuralOdeRate {
  /** Certified: |dz(t)| <= e^(rate t) |dz(0)|. */
  readonly rate: number;
  /** The solver's objective. */
  readonly objective: number;
  /** The solver's status. */
  readonly status: string;
  /** Iterations of the solver. */
  readonly iterations: number;
}

/**
 * The least rate alpha that the constraints prove for the growth of differences of two solutions of a neural ODE:
 * `[W 0; 0 I]^T M [W 0; 0 I] + [H + H^T - 2 alpha I, G; G^T, 0] <= 0` gives `|dz(t)| <= e^(alpha t) |dz(0)|`. The rate may
 * be negative: then all solutions approach each other. An extension of the paper's constraints.
 *
 * @param options.solver options of the conic solver
 * @throws ShapeError for matrices that do not fit each other
 */
export function localRateNeuralOde(ode: NeuralOde, options: { readonly solver?: ConicOptions } = {}): NeuralOdeRate {
  const H = readMatrix(ode.H, "H");
  const G = readMatrix(ode.G, "G");
  const W = readMatrix(ode.W, "W");
  const d = H.rows;
  if (H.columns !== d || W.columns !== d || G.rows !== d || G.columns !== W.rows) {
    throw new ShapeError(
      `localRateNeuralOde: H [d, d], G [d, width], W [width, d] must fit, got [${H.rows}, ${H.columns}], [${G.rows}, ${G.columns}], [${W.rows}, ${W.columns}]`,
    );
  }
  const width = W.rows;
  const order = d + width;
  const A = matrix(width, order);
  place(A, 0, 0, W);
  const groups = allGroups(ode.activation, [width]);
  const field = fieldMatrix(H, G, order);
  const form = { order, inputs: d, A, C: matrix(1, order), groups, abs: { A: absolute(A), C: matrix(1, order) } };
  const kinds = groups.flatMap((group, g) =>
    (group.kind === "slope" ? (["lambda"] as const) : (["lambda", "gamma", "nu"] as const)).map((kind) => ({
      kind,
      g,
      group,
    })),
  );
  const writer = new RowWriter(order, 1 + kinds.length, kinds);
  const input = matrix(order, order);
  for (let i = 0; i < d; i++) input.values[i * (order + 1)] = 1;
  writer.coefficient(0, input);
  for (const [k, { kind, group }] of kinds.entries()) {
    const F = constraintTerm(form, group, kind);
    writer.coefficient(
      1 + k,
      matrix(
        order,
        order,
        F.values.map((value) => -value),
      ),
    );
  }
  const c = new Float64Array(1 + kinds.length);
  c[0] = 1;
  const minus = matrix(
    order,
    order,
    field.value.values.map((value) => -value),
  );
  const result = solveConic(writer.problem(minus, c, 1), options.solver);
  const multipliers = zeroMultipliers(groups.length);
  for (const [k, { kind, g }] of kinds.entries()) multipliers[kind][g] = result.x[1 + k];
  const mean = multipliers.lambda.reduce((sum, value) => sum + Math.max(0, value), 0) / groups.length;
  // The bare minimum -M22 > 0 needs lambda > 0.
  for (let g = 0; g < groups.length; g++) multipliers.lambda[g] = Math.max(0, multipliers.lambda[g]) + 1e-9 * mean;
  let rho = fallbackRate(H, G, W, Math.max(...groups.map(groupLipschitz)));
  for (const t of [0, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]) {
    const repaired = repairStacked(form, { norm: "l2", multipliers }, t, field);
    if (repaired === undefined || (repaired.rho as number) >= rho) continue;
    // Slack is relative to rho, which may be about 0: prove with an absolute room as well.
    for (const room of [1e-12, 1e-10, 1e-8, 1e-6]) {
      const size = Math.abs(repaired.rho as number) + largestEigenvalue(field.value);
      const raised = { ...repaired, rho: (repaired.rho as number) + room * Math.max(size, 1e-6) };
      const proved = provenStacked(form, raised, Infinity, field);
      if (proved !== undefined) {
        rho = Math.min(rho, proved.rho as number);
        break;
      }
    }
  }
  return { rate: rho / 2, objective: result.objective / 2, status: result.status, iterations: result.iterations };
}

/** [H + H^T, G; G^T, 0] */
function fieldMatrix(H: Matrix, G: Matrix, order: number): OutputTerm & { value: Matrix } {
  const value = matrix(order, order);
  place(value, 0, 0, combine(1, H, 1, transposed(H)));
  place(value, 0, H.rows, G);
  place(value, H.rows, 0, transposed(G));
  const magnitudes = absolute(value);
  return { value, errorTimes: (s) => multiplyVector(magnitudes, s).map((entry) => 4 * ROUNDOFF * entry) };
}

/** 2 (||H|| + ||G|| ||W|| times the activation's constant), by Frobenius norms. */
function fallbackRate(H: Matrix, G: Matrix, W: Matrix, slope: number): number {
  const norm = (a: Matrix): number => Math.sqrt(a.values.reduce((sum, value) => sum + value * value, 0));
  return 2 * (norm(H) + slope * norm(G) * norm(W)) * (1 + 1e-9);
}
