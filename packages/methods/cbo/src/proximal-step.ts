import { makeBreather } from "@offprint/solvers";
import {
  ConvergenceError,
  checkOptions,
  hostTensor,
  requireInteger,
  requirePositive,
  type Tensor,
  type TensorLike,
  UnsupportedError,
} from "@offprint/tensor-core";
import { requireDecided } from "./consensus-point.js";
import type { Evaluator } from "./objective.js";
import { type CboProblem, perCoordinate, readTensor, requireGiven, settleProblem } from "./problem.js";

/** Points of the grid along each coordinate, by dimension. */
const GRID = [0, 401, 101, 31];
/** Basins that are followed from the grid to their bottom. */
const CANDIDATES = 8;
/** Points per coordinate, and factor of the spacing, when a basin is followed. */
const ZOOM_POINTS = 5;
const ZOOM = 0.5;
const ZOOMS = 60;
const DOUBLINGS = 60;
/** Grids of a smaller radius, in sizes of x, would have all points at x in rounded numbers. */
const FELT = 1e-8;

/** A point and the regularised energy there. */
interface Candidate {
  readonly x: Float64Array;
  readonly value: number;
}

/**
 * The proximal step `argmin_y E(y) + ||y - x||^2 / (2 tau)`, to compare with, in one to three dimensions: every basin
 * of a grid, wide enough that the minimiser is inside, is followed to its bottom.
 * @returns `[d]` (float64), accurate to about 1e-8 for smooth E
 * @throws UnsupportedError for more than three dimensions; ConvergenceError where E seems to be unbounded below.
 * @example
 * ```ts
 * import { proximalStep } from "@offprint/cbo";
 *
 * const problem = { objective: { perParticle: (v: Float64Array) => 0.5 * v[0] ** 2 } };
 * console.log(String(await proximalStep(problem, [3], 0.5))); // 3 / 1.5
 * ```
 */
export async function proximalStep(problem: CboProblem, x: TensorLike, tau: number): Promise<Tensor> {
  const owner = "proximalStep";
  const given = readTensor(owner, "x", x);
  const { evaluator, dimension: d } = settleProblem(owner, problem, [given]);
  requirePositive(owner, "tau", tau);
  const centre = perCoordinate(owner, "x", given, d);
  return hostTensor(await proximal(owner, evaluator, centre, tau), [d], "float64");
}

/**
 * Proximal steps one after another (the minimising movement scheme, or implicit Euler): what consensus hopping does for
 * large alpha with tau = alpha width^2, and many samples.
 * @param options.initial where it starts, `[d]`
 * @param options.tau length of a step, > 0
 * @param options.steps number of steps, >= 0
 * @returns all points, `[steps + 1, d]`
 * @throws as `proximalStep`
 */
export async function proximalPath(
  problem: CboProblem,
  options: { initial: TensorLike; tau: number; steps: number },
): Promise<Tensor> {
  const owner = "proximalPath";
  requireGiven(owner, options, ["initial", "tau", "steps"]);
  checkOptions(owner, options, ["initial", "tau", "steps"]);
  const { tau, steps } = options;
  const initial = readTensor(owner, "initial", options.initial);
  const { evaluator, dimension: d } = settleProblem(owner, problem, [initial]);
  requirePositive(owner, "tau", tau);
  requireInteger(owner, "steps", steps, 0);
  const path = new Float64Array((steps + 1) * d);
  let x = perCoordinate(owner, "initial", initial, d);
  path.set(x);
  for (let k = 1; k <= steps; k++) {
    x = await proximal(owner, evaluator, x, tau);
    path.set(x, k * d);
  }
  return hostTensor(path, [steps + 1, d], "float64");
}

async function proximal(owner: string, evaluator: Evaluator, x: Float64Array, tau: number): Promise<Float64Array> {
  const d = x.length;
  if (d > 3) {
    throw new UnsupportedError(
      `${owner}: a grid in ${d} dimensions would be too large; it takes 1 to 3. Use hopGradient or consensusHopping`,
    );
  }
  const [here] = Array.from(await evaluator.evaluate(hostTensor(x, [1, d], "float64")));
  requireDecided(owner, { least: here }, 1, "");
  const size = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let radius = Math.max(Math.sqrt(tau), FELT * size);
  for (let doubling = 0; doubling < DOUBLINGS; doubling++, radius *= 2) {
    const grid = gridAround(x, radius, GRID[d]);
    const energies = await evaluator.evaluate(hostTensor(grid, [grid.length / d, d], "float64"));
    // The minimiser y has |y - x|^2 <= 2 tau (E(x) - E(y)), and E(y) is hardly below the least energy of the grid.
    let least = here;
    for (let i = 0; i < energies.length; i++) if (energies[i] < least) least = energies[i];
    if (Math.sqrt(2 * tau * (here - least)) > 0.7 * radius) continue;
    const values = regularised(energies, grid, x, tau);
    const spacing = (2 * radius) / (GRID[d] - 1);
    const bottoms: Candidate[] = [];
    for (const start of basins(grid, values, d, GRID[d])) {
      bottoms.push(await followed(evaluator, start, x, tau, spacing));
    }
    return bottoms.reduce((a, b) => (b.value < a.value ? b : a)).x;
  }
  throw new ConvergenceError(`${owner}: E falls as far as was looked (${radius}); it must be bounded below`);
}

function gridAround(x: Float64Array, radius: number, points: number): Float64Array {
  const d = x.length;
  const out = new Float64Array(d * points ** d);
  for (let i = 0; i < points ** d; i++) {
    let rest = i;
    for (let j = 0; j < d; j++) {
      out[i * d + j] = x[j] + radius * ((2 * (rest % points)) / (points - 1) - 1);
      rest = Math.floor(rest / points);
    }
  }
  return out;
}

function regularised(energies: ArrayLike<number>, points: Float64Array, x: Float64Array, tau: number): Float64Array {
  const d = x.length;
  return Float64Array.from({ length: energies.length }, (_, i) => {
    let square = 0;
    for (let j = 0; j < d; j++) square += (points[i * d + j] - x[j]) ** 2;
    const value = energies[i] + square / (2 * tau);
    return Number.isNaN(value) ? Infinity : value;
  });
}

/** The lowest points of a grid that have no lower neighbour along a coordinate. */
function basins(grid: Float64Array, values: Float64Array, d: number, points: number): Candidate[] {
  const found: Candidate[] = [];
  for (let i = 0; i < values.length; i++) {
    let lowest = true;
    for (let j = 0, stride = 1; j < d && lowest; j++, stride *= points) {
      const place = Math.floor(i / stride) % points;
      if (place > 0 && values[i - stride] < values[i]) lowest = false;
      if (place < points - 1 && values[i + stride] < values[i]) lowest = false;
    }
    if (lowest) found.push({ x: grid.slice(i * d, (i + 1) * d), value: values[i] });
  }
  return found.sort((a, b) => a.value - b.value).slice(0, CANDIDATES);
}

/** Ever finer grids around the best point so far. */
async function followed(
  { evaluate }: Evaluator,
  start: Candidate,
  x: Float64Array,
  tau: number,
  spacing: number,
): Promise<Candidate> {
  const d = x.length;
  let best = start;
  let radius = spacing;
  const breather = makeBreather();
  for (let zoom = 0; zoom < ZOOMS; zoom++) {
    if (breather.due()) await breather.pause();
    const grid = gridAround(best.x, radius, ZOOM_POINTS);
    const values = regularised(await evaluate(hostTensor(grid, [grid.length / d, d], "float64")), grid, x, tau);
    const at = values.reduce((b, value, i) => (value < values[b] ? i : b), 0);
    const inside = values[at] >= best.value;
    if (!inside) best = { x: grid.slice(at * d, (at + 1) * d), value: values[at] };
    // Only a point that beats its neighbours is enclosed more narrowly.
    if (inside) radius *= ZOOM;
  }
  return best;
}
