import type { Rng } from "@offprint/tensor-core";
import type { Dim } from "./features.js";

/**
 * Centres by k-means: a first point at random, each next one farthest from those before, then rounds of averaging.
 * @param points `[dim n]`, n >= 1
 * @returns `[dim k]`
 */
export function kMeans(points: Float64Array, dim: Dim, k: number, rounds: number, rng: Rng): Float64Array {
  const n = points.length / dim;
  const centres = new Float64Array(dim * k);
  const squared = (i: number, c: number) => {
    let total = 0;
    for (let a = 0; a < dim; a++) total += (points[dim * i + a] - centres[dim * c + a]) ** 2;
    return total;
  };
  const place = (c: number, i: number) => centres.set(points.subarray(dim * i, dim * i + dim), dim * c);
  place(0, rng.randint([], { high: n }).item());
  const nearest = new Float64Array(n).fill(Infinity);
  for (let c = 1; c < k; c++) {
    let farthest = 0;
    for (let i = 0; i < n; i++) {
      nearest[i] = Math.min(nearest[i], squared(i, c - 1));
      if (nearest[i] > nearest[farthest]) farthest = i;
    }
    place(c, farthest);
  }
  for (let round = 0; round < rounds; round++) {
    const sums = new Float64Array(dim * k);
    const counts = new Int32Array(k);
    for (let i = 0; i < n; i++) {
      let [best, least] = [0, Infinity];
      for (let c = 0; c < k; c++) {
        const d = squared(i, c);
        if (d < least) [best, least] = [c, d];
      }
      counts[best]++;
      for (let a = 0; a < dim; a++) sums[dim * best + a] += points[dim * i + a];
    }
    for (let c = 0; c < k; c++) {
      if (counts[c] > 0) for (let a = 0; a < dim; a++) centres[dim * c + a] = sums[dim * c + a] / counts[c];
    }
  }
  return centres;
}

/** Directions spread evenly over the circle or, along a Fibonacci spiral, the sphere, turned at random: `[dim k]`. */
export function spreadDirections(k: number, dim: Dim, rng: Rng): Float64Array {
  if (dim === 2) {
    const turn = rng.uniform([], { dtype: "float64" }).item();
    return Float64Array.from({ length: 2 * k }, (_, i) => {
      const angle = 2 * Math.PI * (Math.floor(i / 2) / k + turn);
      return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
    });
  }
  const golden = Math.PI * (3 - Math.sqrt(5));
  const turn = rng.orthogonal([3, 3], { dtype: "float64" }).data();
  const directions = new Float64Array(3 * k);
  for (let j = 0; j < k; j++) {
    const z = 1 - (2 * j + 1) / k;
    const r = Math.sqrt(1 - z * z);
    const spiral = [r * Math.cos(golden * j), r * Math.sin(golden * j), z];
    for (let a = 0; a < 3; a++) {
      directions[3 * j + a] = turn[3 * a] * spiral[0] + turn[3 * a + 1] * spiral[1] + turn[3 * a + 2] * spiral[2];
    }
  }
  return directions;
}

/** Half-spaces of small convexes about centres: per centre K rows `(n, -n·centre - radius)`. */
export function seedPlanes(centres: Float64Array, perConvex: number, dim: Dim, radius: number, rng: Rng): Float64Array {
  const k = centres.length / dim;
  const width = dim + 1;
  const planes = new Float64Array(k * perConvex * width);
  for (let c = 0; c < k; c++) {
    const directions = spreadDirections(perConvex, dim, rng);
    for (let j = 0; j < perConvex; j++) {
      const row = (c * perConvex + j) * width;
      let offset = -radius;
      for (let a = 0; a < dim; a++) {
        planes[row + a] = directions[dim * j + a];
        offset -= directions[dim * j + a] * centres[dim * c + a];
      }
      planes[row + dim] = offset;
    }
  }
  return planes;
}
