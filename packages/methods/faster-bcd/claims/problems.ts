import { grid } from "@offprint/graph";
import { type Rng, sparse, type Tensor, tensor } from "@offprint/tensor-core";

/** The paper's synthetic matrix: columns of very different scales, sparse for many rows. */
export function scaledMatrix(m: number, n: number, rng: Rng): Float64Array {
  const A = rng.normal([m, n], { mean: 1, dtype: "float64" }).data().slice() as Float64Array;
  const scales = rng.normal([n], { std: 10, dtype: "float64" }).data();
  const kept = rng.uniform([m, n], { dtype: "float64" }).data();
  const probability = Math.min(1, (10 * Math.log(m)) / m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const p = i * n + j;
      A[p] = kept[p] < probability ? A[p] * scales[j] : 0;
    }
  }
  return A;
}

/** A least-squares problem with a solution of which a tenth is not zero. */
export function regression(m: number, n: number, rng: Rng): { A: Tensor; y: Float64Array } {
  const A = scaledMatrix(m, n, rng);
  const w = rng.normal([n], { dtype: "float64" }).data();
  const used = rng.uniform([n], { dtype: "float64" }).data();
  const noise = rng.normal([m], { dtype: "float64" }).data();
  const y = Float64Array.from({ length: m }, (_, i) => {
    let total = noise[i];
    for (let j = 0; j < n; j++) if (used[j] < 0.1) total += A[i * n + j] * w[j];
    return total;
  });
  return { A: tensor(A, { shape: [m, n] }), y };
}

/** A lattice with weight `weight` on its edges and `count` labelled nodes with values of 10 N(0, 1). */
export function labelledLattice(side: number, count: number, weight: number, rng: Rng) {
  const { nodes, sources, targets } = grid(side, side);
  const W = sparse.fromTriplets(nodes, nodes, sources, targets, new Float64Array(sources.length).fill(weight));
  const labelled = rng.choice(nodes, { shape: [count], replace: false }).data();
  const values = rng.normal([count], { std: 10, dtype: "float64" }).data();
  return { W, labels: new Map(Array.from(labelled, (node, k) => [node, values[k]])) };
}

/** Labels of a linear model with noise, for a matrix of `features` columns. */
export function classified(m: number, features: number, classes: number, rng: Rng): { A: Tensor; labels: Int32Array } {
  const A = scaledMatrix(m, features, rng);
  const W = rng.normal([features, classes], { dtype: "float64" }).data();
  const noise = rng.normal([m, classes], { dtype: "float64" }).data();
  const labels = Int32Array.from({ length: m }, (_, i) => {
    let best = 0;
    let most = -Infinity;
    for (let c = 0; c < classes; c++) {
      let score = noise[i * classes + c];
      for (let f = 0; f < features; f++) score += A[i * features + f] * W[f * classes + c];
      if (score > most) [most, best] = [score, c];
    }
    return best;
  });
  return { A: tensor(A, { shape: [m, features] }), labels };
}
