import type { Activation } from "@offprint/networks";
import type { Parts, ProgrammeStatus } from "@offprint/solvers";
import { checkOptions, requireObject, ShapeError, type TensorLike } from "@offprint/tensor-core";
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
  spectralNorm,
  transposed,
} from "./matrix.js";
import { allGroups, readMatrix } from "./network.js";
import { groupLipschitz } from "./neuron-group.js";
import { ROUNDOFF } from "./positive-proof.js";
import {
  type ProgrammeOptions,
  type ProgrammeProgress,
  ProgrammeSession,
  type ProgrammeState,
  programmeOptionNames,
} from "./programme-session.js";
import { provenNorm } from "./proven-norm.js";
import { type Multipliers, zeroMultipliers } from "./quadratic-constraint.js";
import type { StackedForm } from "./stacked-form.js";

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
  /** `programme`: proved from its multipliers. `norms`: none could be proved, and the rate is lambda_max((H + H^T) / 2) + ||G|| ||W||. */
  readonly source: "programme" | "norms";
  /** The solver's objective. */
  readonly objective: number;
  /** How the solver ended. */
  readonly status: ProgrammeStatus;
  /** Iterations of the solver. */
  readonly iterations: number;
  /** One entry per check of the solver. */
  readonly history: readonly ProgrammeProgress[];
  /** To go on from, as `resume`. */
  readonly state: ProgrammeState;
}

/**
 * The least rate alpha that the constraints prove for the growth of differences of two solutions of a neural ODE:
 * `[W 0; 0 I]^T M [W 0; 0 I] + [H + H^T - 2 alpha I, G; G^T, 0] <= 0` gives `|dz(t)| <= e^(alpha t) |dz(0)|`. The rate may
 * be negative: then all solutions approach each other. An extension of the paper's constraints.
 *
 * @throws ShapeError for matrices that do not fit each other
 */
export async function localRateNeuralOde(ode: NeuralOde, options: ProgrammeOptions = {}): Promise<NeuralOdeRate> {
  requireObject("localRateNeuralOde", "ode", ode, "a NeuralOde");
  checkOptions("localRateNeuralOde", options, programmeOptionNames);
  const session = new ProgrammeSession("localRateNeuralOde", options);
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
  const result = await session.solve(writer.problem(minus, c, 1));
  const multipliers = zeroMultipliers(groups.length);
  for (const [k, { kind, g }] of kinds.entries()) multipliers[kind][g] = result.x[1 + k];
  const slope = Math.max(...groups.map(groupLipschitz));
  // Besides the solver's multipliers equal ones, which give the norms' estimate: lambda ||W||^2 + ||G||^2 / lambda.
  const [sizeG, sizeW] = [spectralNorm(G), spectralNorm(W)];
  const equal = sizeG > 0 && sizeW > 0 ? sizeG / (slope * sizeW) : 1e-9 * Math.max(spectralNorm(H), 1e-6);
  const candidates = [
    withFloor(multipliers, equal),
    { ...zeroMultipliers(groups.length), lambda: filled(groups.length, equal) },
  ];
  let rho = Infinity;
  for (const candidate of candidates) {
    rho = Math.min(rho, (await session.working(provenRate(form, field, candidate, rho))) ?? Infinity);
  }
  const certified = Number.isFinite(rho);
  const { status, iterations, history, state } = session;
  const rate = certified ? rho / 2 : normsRate(H, G, W, slope);
  const source = certified ? "programme" : "norms";
  return { rate, source, objective: result.objective / 2, status, iterations, history, state };
}

const ROOMS = [0, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/** The least proved rho below `limit` for given multipliers, else `limit`. */
function* provenRate(
  form: StackedForm,
  field: OutputTerm & { value: Matrix },
  multipliers: Multipliers,
  limit: number,
): Parts<number> {
  const fieldSize = Math.max(largestEigenvalue(field.value), 1e-6);
  let least = limit;
  for (const t of ROOMS) {
    const repaired = repairStacked(form, { norm: "l2", multipliers }, t, field);
    yield;
    if (repaired?.rho === undefined || repaired.rho >= least) continue;
    // Slack is relative to rho, which may be about 0: prove with an absolute room as well.
    for (const room of [1e-12, 1e-10, 1e-8, 1e-6]) {
      const raised = { ...repaired, rho: repaired.rho + room * (Math.abs(repaired.rho) + fieldSize) };
      const proved = yield* provenStacked(form, raised, Infinity, field);
      if (proved?.rho === undefined) continue;
      least = Math.min(least, proved.rho);
      break;
    }
  }
  return least;
}

/** The bare minimum -M22 > 0 needs lambda > 0, also where the optimum has lambda = 0. */
function withFloor(multipliers: Multipliers, equal: number): Multipliers {
  const positive = multipliers.lambda.map((value) => Math.max(0, value));
  const mean = positive.reduce((sum, value) => sum + value, 0) / positive.length;
  return { ...multipliers, lambda: positive.map((value) => value + 1e-9 * Math.max(mean, equal)) };
}

function filled(length: number, value: number): Float64Array {
  return new Float64Array(length).fill(value);
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

/** lambda_max((H + H^T) / 2) + ||G|| ||W|| times the activation's constant, with room for rounding. */
function normsRate(H: Matrix, G: Matrix, W: Matrix, slope: number): number {
  const symmetric = largestEigenvalue(combine(0.5, H, 0.5, transposed(H)));
  const coupled = slope * provenNorm(G) * provenNorm(W);
  return symmetric + coupled + 1e-9 * (provenNorm(H) + coupled);
}
