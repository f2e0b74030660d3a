import type { random } from "@offprint/tensor-core";

/** Clients that disagree, and what is known of their mean. */
export interface Benchmark {
  /** The black boxes on the unit box. */
  readonly clients: readonly ((x: Float64Array) => number)[];
  /** Smallest value of the mean, where it is known. */
  readonly least?: number;
}

/** Coefficients `[d][N]` whose rows come from a Dirichlet distribution of parameter 1 / N: few clients have most. */
function shares(rng: random.Rng, d: number, clients: number): Float64Array[] {
  const values = rng.gamma([d, clients], { concentration: 1 / clients, dtype: "float64" }).data();
  return Array.from({ length: d }, (_, k) => {
    const row = Float64Array.from(values.subarray(k * clients, (k + 1) * clients));
    const total = row.reduce((sum, v) => sum + v, 0);
    return row.map((v) => v / total);
  });
}

/** The place in the units of the functions: [-10, 10]. */
function stretched(x: Float64Array): Float64Array {
  return x.map((v) => 20 * Math.min(1, Math.max(0, v)) - 10);
}

/**
 * Quadratics whose coefficients differ between clients in proportion to `heterogeneity` (the paper's C), and average to 1: the
 * minimum of the mean is -0.025 + 0.1 / d at x = 0.475, whatever C.
 */
export function quadratic(rng: random.Rng, d: number, clients: number, heterogeneity: number): Benchmark {
  const [first, second] = [shares(rng, d, clients), shares(rng, d, clients)];
  const coefficient = (share: number) => 1 + heterogeneity * (share - 1 / clients);
  const own = Array.from({ length: clients }, (_, i) => (x: Float64Array) => {
    let sum = 1;
    stretched(x).forEach((u, k) => {
      sum += coefficient(first[k][i]) * u * u + coefficient(second[k][i]) * u;
    });
    return (0.1 / d) * sum;
  });
  return { clients: own, least: -0.025 + 0.1 / d };
}

/** Each client's own scale c and shift s of the argument: v = c (u - s). */
function warped(rng: random.Rng, d: number, clients: number, heterogeneity: number, f: (v: Float64Array) => number) {
  const [scales, shifts] = [shares(rng, d, clients), shares(rng, d, clients)];
  return Array.from({ length: clients }, (_, i) => (x: Float64Array) => {
    const v = stretched(x).map((u, k) => {
      const shift = heterogeneity * (shifts[k][i] - 1 / clients);
      return (0.1 + heterogeneity * (scales[k][i] - 1 / clients)) * (u - shift);
    });
    return f(v);
  });
}

/** Ackley's function, scaled and shifted by each client in its own way. */
export function ackley(rng: random.Rng, d: number, clients: number, heterogeneity: number): Benchmark {
  const f = (v: Float64Array) => {
    const squares = v.reduce((sum, each) => sum + each * each, 0) / d;
    const waves = v.reduce((sum, each) => sum + Math.cos(Math.PI * each), 0) / d;
    return -20 * Math.exp(-0.2 * Math.sqrt(squares)) - Math.exp(waves) + 20 + Math.E;
  };
  return { clients: warped(rng, d, clients, heterogeneity, f) };
}

/** Levy's function, scaled and shifted by each client in its own way. */
export function levy(rng: random.Rng, d: number, clients: number, heterogeneity: number): Benchmark {
  const f = (v: Float64Array) => {
    const w = v.map((each) => 1 + (each - 1) / 4);
    let sum = Math.sin(Math.PI * w[0]) ** 2;
    for (let k = 1; k < d - 1; k++) sum += (w[k] - 1) ** 2 * (1 + 10 * Math.sin(Math.PI * w[k] + 1) ** 2);
    return sum + (w[d - 1] - 1) ** 2 * (1 + Math.sin(2 * Math.PI * w[d - 1]) ** 2);
  };
  return { clients: warped(rng, d, clients, heterogeneity, f) };
}
