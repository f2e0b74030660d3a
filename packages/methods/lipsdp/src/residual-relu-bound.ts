import { activation } from "@offprint/networks";
import { breathing, type Parts, type ProgrammeStatus } from "@offprint/solvers";
import { checkOptions, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { ROOMS } from "./best-proof.js";
import { claimedBound } from "./certificate.js";
import { provenStacked, repairStacked } from "./certify-stacked.js";
import { solveDense } from "./dense-programme.js";
import { normalizing, shrunk } from "./feed-forward.js";
import { gainOf } from "./gain.js";
import { absolute, combine, type Matrix, matrix, multiply, place } from "./matrix.js";
import { type CheckedFeedForward, checkNetwork, type Network } from "./network.js";
import { neuronGroups } from "./neuron-group.js";
import { productParts } from "./product-bound.js";
import {
  type ProgrammeOptions,
  type ProgrammeProgress,
  ProgrammeSession,
  type ProgrammeState,
  programmeOptionNames,
} from "./programme-session.js";
import type { Multipliers } from "./quadratic-constraint.js";
import type { StackedForm } from "./stacked-form.js";

/** Options of {@link residualReluBound}. */
export interface ResidualReluOptions extends ProgrammeOptions {
  /** How MaxMin is written in ReLUs: the paper's baseline takes 2 per pair, one is enough. Default 2. */
  readonly relusPerPair?: 1 | 2;
}

/** Result of {@link residualReluBound}. */
export interface ResidualReluResult {
  /** Certified bound, rounded upwards; it may exceed the product bound. */
  readonly value: number;
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
 * Classic LipSDP on a MaxMin network whose pairs are rewritten as `maxmin(x) = H x + G relu(D x)` (RR), in l2. With two
 * ReLUs per pair, as in the paper, it does not even see that one MaxMin layer is 1-Lipschitz. With one, min = x1 - r,
 * max = x2 + r, r = relu(x1 - x2), it is as tight as `lipschitzBound` with `eliminated`.
 *
 * @throws UnsupportedError for other networks
 */
export async function residualReluBound(
  network: Network,
  options: ResidualReluOptions = {},
): Promise<ResidualReluResult> {
  checkOptions("residualReluBound", options, ["relusPerPair", ...programmeOptionNames]);
  const { relusPerPair = 2 } = options;
  if (relusPerPair !== 1 && relusPerPair !== 2)
    throw new ValueError(`residualReluBound: relusPerPair must be 1 or 2, got ${relusPerPair}`);
  const session = new ProgrammeSession("residualReluBound", options);
  const checked = checkNetwork(network);
  if (checked.kind !== "feedforward" || checked.groups.some(({ kind, size }) => kind !== "sort" || size !== 2)) {
    throw new UnsupportedError("residualReluBound: give a feed-forward network with MaxMin activations");
  }
  const reduced = shrunk(checked, "l2");
  // Scaled by powers of two, which is exact, as the certificate is about the scaled weights.
  const { weights, norms } = await breathing(normalizing(reduced.weights, true));
  const total = norms.reduce((product, value) => product * value, 1);
  const form = rewritten({ ...reduced, weights }, relusPerPair);
  const { multipliers, objective } = await solveDense(form, gainOf("l2"), "diag", false, session);
  const proved = (await session.working(leastProved(form, multipliers))) ?? Infinity;
  const value = Number.isFinite(proved) ? proved * total : await breathing(productParts(checked, "l2"));
  const { status, iterations, history, state } = session;
  return { value, objective: objective * total, status, iterations, history, state };
}

/** The least bound that is proved with these multipliers, or Infinity. */
function* leastProved(form: StackedForm, multipliers: Multipliers): Parts<number> {
  let proved = Infinity;
  for (const t of [0, ...ROOMS]) {
    const repaired = repairStacked(form, { norm: "l2", multipliers }, t);
    yield;
    const certificate = repaired === undefined ? undefined : yield* provenStacked(form, repaired, proved);
    if (certificate !== undefined) proved = claimedBound(certificate);
  }
  return proved;
}

/** u_i = D W_i x_{i-1}, x_i = H W_i x_{i-1} + G r_i on z = (x, r_1, ..., r_{l-1}). */
function rewritten(network: CheckedFeedForward, relusPerPair: 1 | 2): StackedForm {
  const { weights, inputs, widths } = network;
  const perPair = relusPerPair;
  const relus = widths.map((width) => (width / 2) * perPair);
  const order = inputs + relus.reduce((sum, n) => sum + n, 0);
  const A = matrix(order - inputs, order);
  const absA = matrix(order - inputs, order);
  let state = matrix(inputs, order);
  for (let i = 0; i < inputs; i++) state.values[i * (order + 1)] = 1;
  let bound = absolute(state);
  let row = 0;
  for (const [layer, count] of relus.entries()) {
    const { D, H, G } = pairMaps(widths[layer], perPair);
    const linear = multiply(weights[layer], state);
    const linearBound = multiply(absolute(weights[layer]), bound);
    place(A, row, 0, multiply(D, linear));
    place(absA, row, 0, multiply(absolute(D), linearBound));
    const step = matrix(widths[layer], order);
    place(step, 0, inputs + row, G);
    state = combine(1, multiply(H, linear), 1, step);
    bound = combine(1, multiply(absolute(H), linearBound), 1, absolute(step));
    row += count;
  }
  const last = weights[weights.length - 1];
  let start = 0;
  const groups = relus.flatMap((count, layer) => {
    const own = neuronGroups(activation("relu"), count, layer, start);
    start += count;
    return own;
  });
  return {
    order,
    inputs,
    A,
    C: multiply(last, state),
    groups,
    abs: { A: absA, C: multiply(absolute(last), bound) },
  };
}

function pairMaps(width: number, perPair: 1 | 2): { D: Matrix; H: Matrix; G: Matrix } {
  const pairs = width / 2;
  const D = matrix(pairs * perPair, width);
  const H = matrix(width, width);
  const G = matrix(width, pairs * perPair);
  const block = (into: Matrix, pair: number, rows: number[][]): void => {
    place(
      into,
      pair * rows.length,
      pair * rows[0].length,
      matrix(rows.length, rows[0].length, Float64Array.from(rows.flat())),
    );
  };
  for (let pair = 0; pair < pairs; pair++) {
    if (perPair === 1) {
      block(D, pair, [[1, -1]]);
      block(H, pair, [
        [1, 0],
        [0, 1],
      ]);
      block(G, pair, [[-1], [1]]);
    } else {
      // min = x2 - relu(x2 - x1), max = x2 + relu(x1 - x2)
      block(D, pair, [
        [-1, 1],
        [1, -1],
      ]);
      block(H, pair, [
        [0, 1],
        [0, 1],
      ]);
      block(G, pair, [
        [-1, 0],
        [0, 1],
      ]);
    }
  }
  return { D, H, G };
}
