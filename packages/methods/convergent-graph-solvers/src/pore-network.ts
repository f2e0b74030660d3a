import { type Graph, undirected } from "@offprint/graph";
import { requireObject, sparse, tensor, ValueError } from "@offprint/tensor-core";
import type { GraphSample } from "./batches.js";

/** Pores that are linked by throats, with pressures held at some of them. */
export interface PoreNetwork {
  /** Number of pores. */
  readonly pores: number;
  /** `[throats]` pairs of pores. */
  readonly throats: readonly (readonly [number, number])[];
  /** `[throats]` conductance of each: flow for a unit of pressure, > 0. */
  readonly conductances: ArrayLike<number>;
  /** `[pores]` pressure that is held there; NaN at the others, whose pressure is sought. */
  readonly held: ArrayLike<number>;
}

/** The stationary state of a network. */
export interface PoreFlow {
  /** `[pores]` */
  readonly pressures: Float64Array;
  /** `[throats]` from the first pore of the pair to the second. */
  readonly flows: Float64Array;
  /** What flows in at the pores with the largest held pressure. */
  readonly inflow: number;
  /** What flows out at the pores with the smallest. */
  readonly outflow: number;
}

/**
 * Conductance of a round throat by Hagen and Poiseuille, `pi r^4 / (8 mu l)`.
 * @throws ValueError for a radius, length or viscosity that is not above 0.
 */
export function throatConductance(radius: number, length: number, viscosity = 1): number {
  for (const [name, value] of Object.entries({ radius, length, viscosity })) {
    if (!(value > 0)) throw new ValueError(`throatConductance: ${name} is ${value}; it must be > 0`);
  }
  return (Math.PI * radius ** 4) / (8 * viscosity * length);
}

/**
 * The pressures at which as much flows into every inner pore as out of it: `sum over j of k_ij (p_i - p_j) = 0`, by a sparse
 * Cholesky factorisation.
 * @throws ValueError for conductances that are not above 0, pores that are not there, where no or only one pressure is held,
 * and for pores that no throats link with a held one, whose pressure is not determined.
 */
export function solvePoreNetwork(network: PoreNetwork): PoreFlow {
  requireObject("solvePoreNetwork", "network", network, "a PoreNetwork");
  const { pores, throats, conductances, held } = network;
  checkNetwork(network);
  // Powers of two, so that no product overflows and no digit changes: of pressures, and of each pore's widest throat.
  const high = powerOfTwo(largestHeld(held));
  const widest = new Float64Array(pores);
  throats.forEach((pair, t) => {
    for (const pore of pair) widest[pore] = Math.max(widest[pore], conductances[t]);
  });
  const root = widest.map((k) => powerOfTwo(Math.sqrt(k)));
  const inner: number[] = [];
  const row = new Int32Array(pores).fill(-1);
  for (let i = 0; i < pores; i++) if (Number.isNaN(held[i])) row[i] = inner.push(i) - 1;
  const rows: number[] = [];
  const columns: number[] = [];
  const values: number[] = [];
  const right = new Float64Array(inner.length);
  const put = (i: number, j: number, value: number) => {
    rows.push(i);
    columns.push(j);
    values.push(value);
  };
  throats.forEach(([i, j], t) => {
    for (const [a, b] of [
      [i, j],
      [j, i],
    ]) {
      if (row[a] < 0 || i === j) continue;
      const k = conductances[t] / root[a];
      put(row[a], row[a], k / root[a]);
      if (row[b] >= 0) put(row[a], row[b], -k / root[b]);
      else right[row[a]] += k * (held[b] / high);
    }
  });
  const pressures = Float64Array.from(held);
  if (inner.length > 0) {
    const matrix = sparse.fromTriplets(inner.length, inner.length, rows, columns, values);
    const solution = factorised(matrix, conductances).solve(right);
    inner.forEach((i, k) => {
      pressures[i] = high * (solution[k] / root[i]);
    });
  }
  const flows = Float64Array.from(throats, ([i, j], t) => conductances[t] * (pressures[i] - pressures[j]));
  // What flows in flows out, unless a throat is so wide that the drop of pressure along it is lost in rounding.
  let [lost, through] = [0, 0];
  throats.forEach(([i, j], t) => {
    const held = (row[i] < 0 ? 1 : 0) - (row[j] < 0 ? 1 : 0);
    lost += held * flows[t];
    through += Math.abs(held * flows[t]);
  });
  if (Number.isFinite(through) && Math.abs(lost) > 1e-6 * through) throw tooFarApart(conductances);
  const [outlet, inlet] = heldRange(held);
  return { pressures, flows, inflow: flowOut(network, flows, inlet), outflow: -flowOut(network, flows, outlet) };
}

function tooFarApart(conductances: ArrayLike<number>, cause?: unknown): ValueError {
  const [most, least] = [largestOf(conductances), Array.from(conductances).reduce((m, k) => Math.min(m, k))];
  return new ValueError(
    `solvePoreNetwork: conductances from ${least} to ${most} are too far apart for double precision; join pores that the ` +
      "widest throats link, or leave the narrowest out",
    { cause },
  );
}

function factorised(matrix: sparse.SparseMatrix, conductances: ArrayLike<number>): sparse.CholeskyFactorization {
  try {
    return sparse.cholesky(matrix);
  } catch (cause) {
    // The matrix of a network whose pores all hang on held ones is positive definite, but for rounding.
    throw tooFarApart(conductances, cause);
  }
}

function largestOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, v) => Math.max(most, v), 0);
}

/** The largest size of a held pressure. */
function largestHeld(held: ArrayLike<number>): number {
  const [low, high] = heldRange(held);
  return Math.max(Math.abs(low), Math.abs(high));
}

const powerOfTwo = (x: number): number => (x > 0 ? 2 ** Math.floor(Math.log2(x)) : 1);

/**
 * Permeability by Darcy's law, `Q mu L / (A dp)`.
 * @param sample its `length` along the flow, the `area` across it, and the `viscosity` for which conductances were computed
 * @param flow what {@link solvePoreNetwork} gives, where it is at hand
 */
export function permeability(
  network: PoreNetwork,
  options: { length: number; area: number; viscosity?: number },
  flow: PoreFlow = solvePoreNetwork(network),
): number {
  requireObject("permeability", "network", network, "a PoreNetwork");
  requireObject("permeability", "options", options, "{ length, area }");
  const { length, area, viscosity = 1 } = options;
  const [low, high] = heldRange(network.held);
  // Halves of the pressures, as their difference may be larger than all numbers.
  return ((flow.inflow / (high / 2 - low / 2)) * viscosity * length) / (2 * area);
}

/** Smallest and largest held pressure. */
function heldRange(held: ArrayLike<number>): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < held.length; i++) {
    if (held[i] < low) low = held[i];
    if (held[i] > high) high = held[i];
  }
  return [low, high];
}

function flowOut({ throats, held }: PoreNetwork, flows: Float64Array, pressure: number): number {
  let total = 0;
  throats.forEach(([i, j], t) => {
    if (held[i] === pressure) total += flows[t];
    if (held[j] === pressure) total -= flows[t];
  });
  return total;
}

function checkNetwork({ pores, throats, conductances, held }: PoreNetwork): void {
  const owner = "solvePoreNetwork";
  if (conductances.length !== throats.length || held.length !== pores) {
    throw new ValueError(
      `${owner}: ${conductances.length} conductances and ${held.length} held pressures do not fit ${throats.length} throats and ` +
        `${pores} pores; give one for each`,
    );
  }
  throats.forEach(([i, j], t) => {
    for (const pore of [i, j]) {
      if (!(Number.isInteger(pore) && pore >= 0 && pore < pores)) {
        throw new ValueError(
          `${owner}: throat ${t} ends at pore ${pore}; pores are the integers from 0 to ${pores - 1}`,
        );
      }
    }
    if (!(conductances[t] > 0 && Number.isFinite(conductances[t]))) {
      throw new ValueError(`${owner}: the conductance of throat ${t} is ${conductances[t]}; it must be > 0`);
    }
  });
  const endless = Array.from(held).findIndex((pressure) => Math.abs(pressure) === Infinity);
  if (endless >= 0) {
    throw new ValueError(`${owner}: pore ${endless} is held at ${held[endless]}; pressures must be finite`);
  }
  const [low, high] = heldRange(held);
  if (!(low < high)) {
    const which = low === high ? `all pressures are held at ${low}` : "no pressure is held";
    throw new ValueError(`${owner}: ${which}; hold an inlet and an outlet at different ones`);
  }
  const lonely = reachedFromHeld(pores, throats, held).indexOf(0);
  if (lonely >= 0) {
    throw new ValueError(
      `${owner}: no throats link pore ${lonely} with a held pressure; remove it, or hold its pressure`,
    );
  }
}

/** @internal `[pores]` 1 for pores with a held pressure and those that throats link with one. */
export function reachedFromHeld(pores: number, throats: PoreNetwork["throats"], held: ArrayLike<number>): Uint8Array {
  const { indptr, neighbours } = undirected(throats.length === 0 ? [] : throats.map((t) => [...t]), pores).outgoing;
  const reached = Uint8Array.from({ length: pores }, (_, i) => (Number.isNaN(held[i]) ? 0 : 1));
  const open = Array.from(reached.keys()).filter((i) => reached[i] === 1);
  for (let pore = open.pop(); pore !== undefined; pore = open.pop()) {
    for (let p = indptr[pore]; p < indptr[pore + 1]; p++) {
      if (reached[neighbours[p]]) continue;
      reached[neighbours[p]] = 1;
      open.push(neighbours[p]);
    }
  }
  return reached;
}

/** A network as a graph to learn from. */
export interface PoreSample extends GraphSample {
  /** Both directions of every throat: all as given first, then reversed. */
  readonly graph: Graph;
}

/**
 * The network for a model of graphs. Nodes have `[held or not, held pressure / largest size of one]`, so that a model must carry
 * pressures along; edges have `features`, one row for each throat. Targets are pressures divided by the largest size of a held one.
 * @param features `[throats]` rows of numbers of order 1, such as radius, length and the logarithm of the conductance
 */
export function poreSample(network: PoreNetwork, features: readonly (readonly number[])[]): PoreSample {
  requireObject("poreSample", "network", network, "a PoreNetwork");
  requireObject("poreSample", "features", features, "an array");
  const { pores, throats, held } = network;
  const { pressures } = solvePoreNetwork(network);
  const size = largestHeld(held);
  const graph = undirected(
    throats.map((t) => [...t]),
    pores,
  );
  if (graph.edges !== 2 * throats.length) {
    throw new ValueError("poreSample: a throat links a pore with itself; remove it, as nothing flows through it");
  }
  const nodes = new Float64Array(2 * pores);
  for (let i = 0; i < pores; i++) {
    if (Number.isNaN(held[i])) continue;
    nodes[2 * i] = 1;
    nodes[2 * i + 1] = held[i] / size;
  }
  return {
    graph,
    nodes: tensor(nodes, { shape: [pores, 2] }),
    edges: tensor(
      [...features, ...features].map((row) => [...row]),
      { dtype: "float64" },
    ),
    targets: tensor(
      pressures.map((p) => p / size),
      { shape: [pores, 1] },
    ),
  };
}
