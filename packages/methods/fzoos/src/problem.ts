import { random, requireInteger, ShapeError, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import type { BlackBox, Client } from "./black-box.js";
import { type ClientTeam, type Fleet, ownFleet, teamFleet } from "./fleet.js";
import type { Box } from "./messages.js";
import { toUnit } from "./unit-box.js";

/** What is minimised: the weighted mean of the clients' black boxes. */
export interface FederatedProblem {
  /** The black boxes, or a team of members that `clientJob` has made. */
  readonly clients: readonly (BlackBox | Client)[] | ClientTeam;
  /** `[d]` where it begins. Default: drawn evenly in the box, or in the unit box. */
  readonly initial?: TensorLike;
  /** d; needed where neither `initial` nor `bounds` tell it. */
  readonly dimension?: number;
  /**
   * The box, `[lower, upper]` numbers or one for each coordinate. Nothing is asked outside but for finite differences;
   * lengths, radii and learning rates are parts of its sides. Without bounds the sides are 1 and nothing is clipped.
   */
  readonly bounds?: readonly [lower: TensorLike, upper: TensorLike];
  /** Share of each client, >= 0, of sum 1. Default equal shares. */
  readonly weights?: readonly number[];
}

/** @internal A problem that was checked. */
export interface SettledProblem {
  readonly fleet: Fleet;
  readonly d: number;
  readonly bounds: Box | null;
  readonly shares: readonly number[];
  /** In the unit box. */
  readonly initial: Float64Array;
}

const SUM_TOLERANCE = 1e-8;

/** @internal */
export function settledProblem(owner: string, problem: FederatedProblem, seed: number | string): SettledProblem {
  const { clients, weights } = problem;
  const own = Array.isArray(clients);
  const size = own ? clients.length : ((clients as ClientTeam | undefined)?.size ?? 0);
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new ValueError(`${owner}: clients must be one black box or more, or a team`);
  }
  if (own) {
    for (const [i, client] of (clients as readonly (BlackBox | Client)[]).entries()) {
      const blackBox = typeof client === "function" ? client : client?.blackBox;
      if (typeof blackBox === "function") continue;
      throw new ValueError(`${owner}: clients[${i}] has no black box; give a function of x, or { blackBox, points }`);
    }
  }
  const shares = weights ?? new Array<number>(size).fill(1 / size);
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (
    shares.length !== size ||
    !shares.every((share) => typeof share === "number" && share >= 0) ||
    Math.abs(total - 1) > SUM_TOLERANCE
  ) {
    throw new ValueError(`${owner}: weights are [${shares}]; they must be ${size} numbers >= 0 whose sum is 1`);
  }
  if (problem.bounds !== undefined && !(Array.isArray(problem.bounds) && problem.bounds.length === 2)) {
    throw new ValueError(`${owner}: bounds are ${problem.bounds}; give a pair [lower, upper]`);
  }
  const d = dimensionOf(owner, problem);
  const bounds = problem.bounds === undefined ? null : boxOf(owner, problem.bounds, d);
  const fleet = own ? ownFleet(clients as readonly (BlackBox | Client)[]) : teamFleet(clients as ClientTeam);
  return { fleet, d, bounds, shares, initial: startOf(owner, problem, d, bounds, seed) };
}

function dimensionOf(owner: string, { dimension, initial, bounds }: FederatedProblem): number {
  if (dimension !== undefined) requireInteger(owner, "dimension", dimension, 1);
  const known = [initial, ...(bounds ?? [])].flatMap((each) => {
    const t = each === undefined ? undefined : tensor(each, { dtype: "float64" });
    return t !== undefined && t.rank === 1 ? [t.size] : [];
  });
  const d = dimension ?? known[0];
  if (d === undefined) throw new ValueError(`${owner}: the dimension is unknown; give initial or dimension`);
  if (d < 1 || known.some((size) => size !== d)) {
    throw new ShapeError(
      `${owner}: initial, bounds and dimension have ${[d, ...known].join(", ")} coordinates; they must agree`,
    );
  }
  return d;
}

function boxOf(owner: string, bounds: readonly [TensorLike, TensorLike], d: number): Box {
  const [lower, upper] = bounds.map((side) => {
    const t = tensor(side, { dtype: "float64" });
    return t.rank === 0 ? new Float64Array(d).fill(t.item()) : Float64Array.from(t.data());
  });
  for (let k = 0; k < d; k++) {
    if (lower[k] < upper[k] && Number.isFinite(upper[k] - lower[k])) continue;
    throw new ValueError(
      `${owner}: bounds of coordinate ${k} are [${lower[k]}, ${upper[k]}]; give finite lower < upper`,
    );
  }
  return { lower, upper };
}

function startOf(
  owner: string,
  { initial }: FederatedProblem,
  d: number,
  bounds: Box | null,
  seed: number | string,
): Float64Array {
  if (initial === undefined) {
    return Float64Array.from(random.rng(seed).fork("start").uniform([d], { dtype: "float64" }).data());
  }
  const t = tensor(initial, { dtype: "float64" });
  if (t.rank !== 1 || !t.data().every(Number.isFinite)) {
    throw new ValueError(`${owner}: initial must be [d] finite numbers`);
  }
  const start = toUnit(bounds, Float64Array.from(t.data()));
  const outside = bounds === null ? -1 : start.findIndex((v) => v < 0 || v > 1);
  if (outside < 0) return start;
  throw new ValueError(`${owner}: initial lies outside of bounds in coordinate ${outside}`);
}
