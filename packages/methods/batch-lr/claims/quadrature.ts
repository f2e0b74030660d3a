import { type Claim, figure } from "@offprint/claims";
import type { LinearOperator } from "@offprint/solvers";
import { linalg, random, tensor } from "@offprint/tensor-core";
import { batchLr, type Method } from "./method.js";
import { wigner, withSpike } from "./random-matrices.js";

const [order, steps] = [400, 20];

/** The largest relative difference of `v' A^k v` and what nodes and weights say, for `k` below `2 steps`. */
function momentDifference(
  apply: LinearOperator,
  { nodes, weights }: { nodes: Float64Array; weights: Float64Array },
  seed: string,
) {
  const signs = random.rng(seed).uniform([order], { dtype: "float64" }).data();
  const size = Math.sqrt(order);
  const powers = [Float64Array.from(signs, (u) => (u < 0.5 ? -1 : 1) / size)];
  for (let k = 1; k <= steps; k++) {
    const next = new Float64Array(order);
    apply(powers[k - 1], next);
    powers.push(next);
  }
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const length = (a: Float64Array) => Math.sqrt(dot(a, a));
  return Math.max(
    ...Array.from({ length: 2 * steps }, (_, k) => {
      const [a, b] = [powers[k >> 1], powers[k - (k >> 1)]];
      const moment = nodes.reduce((sum, node, i) => sum + weights[i] * node ** k, 0);
      return Math.abs(dot(a, b) - moment) / (length(a) * length(b));
    }),
  );
}

/** Stochastic Lanczos quadrature of a spectrum that is known. */
export function quadrature(method: Pick<Method, "spectralDensity"> = batchLr): Claim {
  return {
    id: "quadrature",
    statement: "Twenty products with a matrix for each of ten probes give its spectral density",
    source: "Section 3, stochastic Lanczos quadrature",
    paper: "(1/P) tr exp within its standard error; moments below 2 m exact",
    async run({ rng, seed, signal }) {
      const matrix = wigner(rng, order);
      const apply = withSpike(matrix, order);
      const found = await method.spectralDensity(apply, order, { steps, probes: 10, seed, signal });
      const single = await method.spectralDensity(apply, order, { steps, probes: 1, seed, signal });
      const { values } = linalg.eigh(tensor(matrix, { shape: [order, order] }));
      const eigenvalues = Float64Array.from(values.data());
      const exact = eigenvalues.reduce((sum, x) => sum + Math.exp(x), 0) / order;
      const apart = Math.abs(found.mean(Math.exp) - exact);
      const moment = momentDifference(apply, single, `${seed}/probe/1`);
      const x = Array.from({ length: 121 }, (_, i) => -3 + i / 20);
      const sigma = 0.15;
      const normal = (z: number) => Math.exp(-0.5 * z * z) / (sigma * Math.sqrt(2 * Math.PI));
      return {
        measured: { "(1/P) tr exp": found.mean(Math.exp), exact, "difference of moments": moment },
        holds: apart <= 0.1 && moment <= 1e-9,
        detail:
          `(1/P) tr exp must be within 0.1 of the exact one (${figure(apart)}); moments of one probe up to ${2 * steps - 1} must be ` +
          `those of the matrix to 1e-9, relative (${figure(moment)}).`,
        series: [
          {
            kind: "line",
            title: "Spectral density",
            x: { label: "eigenvalue" },
            y: { label: "density" },
            curves: [
              { name: "quadrature", x, y: found.density(x, sigma) },
              {
                name: "exact",
                x,
                y: x.map((at) => eigenvalues.reduce((sum, each) => sum + normal((at - each) / sigma), 0) / order),
              },
            ],
          },
        ],
      };
    },
  };
}
