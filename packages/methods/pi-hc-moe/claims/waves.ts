import { type random, type Tensor, tensor } from "@offprint/tensor-core";

/** Smooth initial conditions on a circle: four waves of random sizes, `[count, points]`. */
export function waves(rng: random.Rng, count: number, points: number): Tensor {
  const sizes = rng.normal([count, 4, 2], { std: 0.25, dtype: "float64" }).data();
  const values = Float64Array.from({ length: count * points }, (_, at) => {
    const [b, angle] = [Math.floor(at / points), (2 * Math.PI * (at % points)) / points];
    return [1, 2, 3, 4].reduce((sum, k) => {
      const [a, c] = [sizes[8 * b + 2 * k - 2], sizes[8 * b + 2 * k - 1]];
      return sum + a * Math.sin(k * angle) + c * Math.cos(k * angle);
    }, 0);
  });
  return tensor(values).reshape([count, points]);
}
