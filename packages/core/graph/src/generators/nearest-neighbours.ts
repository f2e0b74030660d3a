import { asTensor, ShapeError, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import { type Graph, undirected } from "../graph.js";

/**
 * The undirected graph in which two samples are linked where one is among the `k` nearest of the other, by Euclidean
 * distance; of equally near ones the lower number counts as nearer. Compares all pairs.
 * @param x `[samples, features]`
 * @throws ValueError unless 1 <= k < samples.
 */
export function nearestNeighbourGraph(x: TensorLike, k: number): Graph {
  const points = asTensor(x);
  if (points.rank !== 2) throw new ShapeError(`nearestNeighbourGraph: x has shape [${points.shape}]; give a matrix`);
  const [count, width] = points.shape;
  if (!Number.isInteger(k) || k < 1 || k >= count) {
    throw new ValueError(`nearestNeighbourGraph: k is ${k}; it must be an integer from 1 to ${count - 1}`);
  }
  const values = Float64Array.from(points.data());
  const keys = new Set<number>();
  const nearest = new Int32Array(k);
  const distances = new Float64Array(k);
  for (let i = 0; i < count; i++) {
    let found = 0;
    for (let j = 0; j < count; j++) {
      if (j === i) continue;
      const limit = found === k ? distances[k - 1] : Infinity;
      const squared = squaredDistance(values, i * width, j * width, width, limit);
      if (squared >= limit) continue;
      let place = found < k ? found++ : k - 1;
      for (; place > 0 && distances[place - 1] > squared; place--) {
        distances[place] = distances[place - 1];
        nearest[place] = nearest[place - 1];
      }
      distances[place] = squared;
      nearest[place] = j;
    }
    for (const j of nearest) keys.add(Math.min(i, j) * count + Math.max(i, j));
  }
  const sorted = Float64Array.from(keys).sort();
  const pairs = new Int32Array(2 * sorted.length);
  sorted.forEach((key, e) => {
    pairs[2 * e] = Math.floor(key / count);
    pairs[2 * e + 1] = key % count;
  });
  return undirected(tensor(pairs, { shape: [sorted.length, 2] }), count);
}

/** Stops adding once the sum has reached `limit`. */
function squaredDistance(values: Float64Array, p: number, q: number, width: number, limit: number): number {
  let total = 0;
  for (let c = 0; c < width && total < limit; c++) {
    const d = values[p + c] - values[q + c];
    total += d * d;
  }
  return total;
}
