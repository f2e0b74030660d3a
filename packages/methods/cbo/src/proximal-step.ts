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
import {
  type CboProblem,
  feasible,
  perCoordinate,
  readTensor,
  requireGiven,
  type SettledProblem,
  settleProblem,
} from "./problem.js";

/** Points of the grid along each coordinate, by dimension. */
const GRID = [0, 401, 101, 31];
/** Basins that are followed from the grid to their bottom. */
const CANDIDATES = 8;
/** Points per coordinate, and factor of the spacing, when a basin is followed. */
const ZOOM_POINTS = 5;
const ZOOM = 0.5;
const ZOOMS = 60;
const DOUBLINGS = 60;
/** A grid that is so many sizes of x wide has others inside, each by this smaller: what E does near x would fall between its points. */
const SCALES = 1000;
/** Grids of a smaller radius, in sizes of x, would have all points at x in rounded numbers. */
const FELT = 1e-8;

/** A point and the regularised energy there. */
interface Candidate {
  readonly x: Float64Array;
  readonly value: number;
}

/** A candidate on a grid, and how far apart the points of that are. */
interface Basin extends Candidate {
  readonly spacing: number;
}

/** E, and what puts points `[n, d]` where they may be. */
interface Landscape {
  readonly evaluate: Evaluator["evaluate"];
  readonly inside: (points: Float64Array) => Float64Array;
}

/**
 * The proximal step `argmin_y E(y) + ||y - x||^2 / (2 tau)`, to compare with, in one to three dimensions, over y within
 * the problem's constraints: every basin of a grid, wide enough that the minimiser is inside, is followed to its bottom, and of
 * finer grids around x where that one is many times as wide as x.
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
  const settled = settleProblem(owner, problem, { x: given });
  const { dimension: d } = settled;
  requirePositive(owner, "tau", tau);
  const centre = perCoordinate(owner, "x", given, d);
  return hostTensor(await proximal(owner, landscapeOf(owner, settled), centre, tau), [d], "float64");
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
  const settled = settleProblem(owner, problem, { initial });
  const { dimension: d } = settled;
  requirePositive(owner, "tau", tau);
  requireInteger(owner, "steps", steps, 0);
  const landscape = landscapeOf(owner, settled);
  const path = new Float64Array((steps + 1) * d);
  let x = perCoordinate(owner, "initial", initial, d);
  path.set(x);
  for (let k = 1; k <= steps; k++) {
    x = await proximal(owner, landscape, x, tau);
    path.set(x, k * d);
  }
  return hostTensor(path, [steps + 1, d], "float64");
}

function landscapeOf(owner: string, settled: SettledProblem): Landscape {
  const { evaluator, dimension: d } = settled;
  return {
    evaluate: evaluator.evaluate,
    inside: (points) =>
      Float64Array.from(feasible(settled, hostTensor(points, [points.length / d, d], "float64"), owner).data()),
  };
}

async function proximal(owner: string, landscape: Landscape, x: Float64Array, tau: number): Promise<Float64Array> {
  const d = x.length;
  if (d > 3) {
    throw new UnsupportedError(
      `${owner}: a grid in ${d} dimensions would be too large; it takes 1 to 3. Use hopGradient or consensusHopping`,
    );
  }
  const { evaluate, inside } = landscape;
  const home = inside(x);
  const [here] = Array.from(await evaluate(hostTensor(home, [1, d], "float64")));
  requireDecided(owner, { least: here }, 1, "");
  const away = Math.hypot(...home.map((value, j) => value - x[j]));
  const size = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let radius = Math.max(Math.sqrt(tau), FELT * size);
  let least = here;
  for (let doubling = 0; doubling < DOUBLINGS; doubling++, radius *= 2) {
    const starts: Basin[] = [];
    for (const extent of radiiWithin(radius, size)) {
      const grid = inside(gridAround(x, extent, GRID[d]));
      const energies = await evaluate(hostTensor(grid, [grid.length / d, d], "float64"));
      for (let i = 0; i < energies.length; i++) if (energies[i] < least) least = energies[i];
      const spacing = (2 * extent) / (GRID[d] - 1);
      starts.push(...basins(grid, regularised(energies, grid, x, tau), d, GRID[d], spacing));
    }
    // The minimiser y has |y - x|^2 <= 2 tau (E(x) - E(y)), and E(y) is hardly below the least energy of the grids.
    if (Math.hypot(Math.sqrt(tau) * Math.sqrt(2 * (here - least)), away) > 0.7 * radius) continue;
    const bottoms: Candidate[] = [];
    for (const start of lowest(starts)) {
      bottoms.push(await followed(landscape, start, x, tau));
    }
    return bottoms.reduce((a, b) => (b.value < a.value ? b : a)).x;
  }
  throw new ConvergenceError(`${owner}: E falls as far as was looked (${radius}); it must be bounded below`);
}

/** The radii of grids around x, from the widest. */
function radiiWithin(widest: number, size: number): number[] {
  const radii = [widest];
  for (let next = widest; next > SCALES * (size || 1); radii.push(next)) next /= SCALES;
  return radii;
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

/** The lowest basins; a point of several grids counts once, by the finest. */
function lowest(basins: readonly Basin[]): Basin[] {
  const found = new Map<string, Basin>();
  for (const basin of [...basins].sort((a, b) => a.value - b.value || a.spacing - b.spacing)) {
    const key = String(basin.x);
    if (!found.has(key)) found.set(key, basin);
    if (found.size === CANDIDATES) break;
  }
  return [...found.values()];
}

/** The lowest points of a grid that have no lower neighbour along a coordinate. */
function basins(grid: Float64Array, values: Float64Array, d: number, points: number, spacing: number): Basin[] {
  const found: Basin[] = [];
  for (let i = 0; i < values.length; i++) {
    let bottom = true;
    for (let j = 0, stride = 1; j < d && bottom; j++, stride *= points) {
      const place = Math.floor(i / stride) % points;
      if (place > 0 && values[i - stride] < values[i]) bottom = false;
      if (place < points - 1 && values[i + stride] < values[i]) bottom = false;
    }
    if (bottom) found.push({ x: grid.slice(i * d, (i + 1) * d), value: values[i], spacing });
  }
  return found;
}

/** Ever finer grids around the best point so far. */
async function followed(
  { evaluate, inside }: Landscape,
  start: Basin,
  x: Float64Array,
  tau: number,
): Promise<Candidate> {
  const d = x.length;
  let best: Candidate = start;
  let radius = start.spacing;
  const breather = makeBreather();
  for (let zoom = 0; zoom < ZOOMS; zoom++) {
    if (breather.due()) await breather.pause();
    const grid = inside(gridAround(best.x, radius, ZOOM_POINTS));
    const values = regularised(await evaluate(hostTensor(grid, [grid.length / d, d], "float64")), grid, x, tau);
    const at = values.reduce((b, value, i) => (value < values[b] ? i : b), 0);
    const enclosed = values[at] >= best.value;
    if (!enclosed) best = { x: grid.slice(at * d, (at + 1) * d), value: values[at] };
    // Only a point that beats its neighbours is enclosed more narrowly.
    if (enclosed) radius *= ZOOM;
  }
  return best;
}
