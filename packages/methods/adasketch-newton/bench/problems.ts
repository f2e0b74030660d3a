import { random, type Tensor, tensor } from "@offprint/tensor-core";

/** A symmetric indefinite saddle-point matrix of order d, with rows of norm about 1, and a right-hand side. */
export function saddle(d: number): { K: Tensor; b: Tensor } {
  const m = Math.floor(d / 4);
  const rng = random.rng(d);
  const noise = rng.normal([d, d], { std: 0.5 / Math.sqrt(d), dtype: "float64" }).toArray() as number[][];
  const K = noise.map((row, i) =>
    row.map((value, j) => {
      if (i >= d - m && j >= d - m) return 0;
      return (value + noise[j][i]) / 2 + (i === j ? 1 : 0);
    }),
  );
  return { K: tensor(K, { dtype: "float64" }), b: rng.normal([d], { dtype: "float64" }) };
}
