import { jitSync, mul, random, roll, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, expectGradient, f64, scattered } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  convolve,
  coordinates,
  dealias,
  dealiasedProduct,
  derivative,
  divergence,
  gaussianRandomField,
  gradient,
  gridMean,
  helmholtzInverse,
  laplacian,
  laplacianInverse,
  sobolevNorm,
  type Torus,
  toField,
  torus,
  toSpectrum,
  translate,
} from "../src/index.js";

const grids: [string, Torus][] = [
  ["12 points", torus({ points: [12], length: 3 })],
  ["9 points", torus({ points: [9] })],
  ["10 x 9", torus({ points: [10, 9], length: [2, 5] })],
  ["4 x 3 x 6", torus({ points: [4, 3, 6], length: 2 * Math.PI })],
];

/** cos(omega . x + 0.3) for whole wave numbers k, by its derivative of an order along an axis. */
function wave(grid: Torus, k: readonly number[], axis = 0, order = 0): Tensor {
  const omega = k.map((each, i) => (2 * Math.PI * each) / grid.length[i]);
  const phase = omega.reduce((total, each, i) => total.add(coordinates(grid, i).mul(each)), f64([0.3]));
  return phase
    .add((order * Math.PI) / 2)
    .cos()
    .mul(omega[axis] ** order);
}

const wavesOf = (grid: Torus) =>
  [
    [1, -1, 2],
    [-1, 1, 0],
    [0, 1, -1],
  ].map((k) => k.slice(0, grid.dimensions));

describe.each(grids)("on a grid of %s", (_, grid) => {
  it("derivatives of waves are exact, of every order", () => {
    for (const k of wavesOf(grid)) {
      for (let axis = 0; axis < grid.dimensions; axis++) {
        for (const order of [1, 2, 3]) {
          expectClose(derivative(grid, wave(grid, k), axis, order), wave(grid, k, axis, order), 3e-11);
        }
        expectClose(gradient(grid, wave(grid, k)).slice([axis]), wave(grid, k, axis, 1), 1e-12);
      }
    }
  });

  it("the Laplacian is the divergence of the gradient, and its inverses invert it", () => {
    const x = wavesOf(grid).reduce((total, k) => total.add(wave(grid, k)), f64([0.7]));
    expectClose(laplacian(grid, x), divergence(grid, gradient(grid, x)), 1e-10);
    expectClose(laplacianInverse(grid, laplacian(grid, x)), x.sub(gridMean(grid, x)), 1e-11);
    expectClose(helmholtzInverse(grid, mul(x, 2).sub(laplacian(grid, x)), 2), x, 1e-11);
  });

  it("convolution with a wave is the sum by definition", () => {
    const x = random.rng(1).normal(grid.points, { dtype: "float64" });
    const y = random.rng(2).normal(grid.points, { dtype: "float64" });
    expectClose(
      convolve(grid, x, y).data().subarray(0, 3),
      [0, 1, 2].map((i) => convolvedAt(grid, x, y, i)),
      1e-12,
    );
  });

  it("a translation by a grid distance is a roll, and translations add up", () => {
    // Noise has the highest frequency, which is a cosine where the number of points is even.
    const x = random.rng(3).normal(grid.points, { dtype: "float64" });
    for (let axis = 0; axis < grid.dimensions; axis++) {
      const step = grid.length[axis] / grid.points[axis];
      for (const cells of [1, -2]) expectClose(translate(grid, x, axis, cells * step), roll(x, cells, axis), 1e-13);
    }
    const smooth = dealias(grid, x);
    expectClose(translate(grid, translate(grid, smooth, 0, 0.11), 0, -0.11), smooth, 1e-13);
  });

  it("norms are those of the grid and of derivatives, and order -1 that of the equation solved", () => {
    const x = random.rng(4).normal([2, ...grid.points], { dtype: "float64" });
    const axes = grid.points.map((_n, axis) => axis + 1);
    expectClose(sobolevNorm(grid, x), x.square().mean(axes).sqrt(), 1e-13);
    const smooth = dealias(grid, x);
    const h1 = gradient(grid, smooth).square().sum(0).add(smooth.square()).mean(axes).sqrt();
    expectClose(sobolevNorm(grid, smooth, { order: 1 }), h1, 1e-12);
    const dual = mul(x, helmholtzInverse(grid, x, 0.03))
      .mean(axes)
      .sqrt();
    expectClose(sobolevNorm(grid, x, { order: -1, shift: 0.03 }), dual, 1e-12);
    expectClose(sobolevNorm(grid, f64([1]).broadcastTo(grid.points), { order: -1, shift: 0 }), 0, 1e-14);
  });

  it("compiled functions and gradients agree with eager ones and with differences", () => {
    const x = scattered(grid.points);
    const f = (u: Tensor) => sobolevNorm(grid, derivative(grid, dealiasedProduct(grid, u, u), 0), { order: -1 });
    expectClose(jitSync(f)(x), f(x), 1e-12);
    expectGradient(f, [x]);
  });
});

/** The convolution at the i-th point by definition. */
function convolvedAt(grid: Torus, x: Tensor, y: Tensor, i: number): number {
  let total = 0;
  const strides = grid.points.map((_, axis) => grid.points.slice(axis + 1).reduce((a, b) => a * b, 1));
  const [a, b] = [x.data(), y.data()];
  for (let s = 0; s < grid.size; s++) {
    let at = 0;
    grid.points.forEach((n, axis) => {
      const difference = (Math.floor(i / strides[axis]) % n) - (Math.floor(s / strides[axis]) % n);
      at += ((difference + n) % n) * strides[axis];
    });
    total += a[s] * b[at];
  }
  return total * grid.cellVolume;
}

it("the highest frequency has no odd derivative, and an even one", () => {
  const grid = torus({ points: [8], length: 2 * Math.PI });
  const highest = f64([1, -1, 1, -1, 1, -1, 1, -1]);
  expectClose(derivative(grid, highest, 0), highest.mul(0), 1e-14);
  expectClose(derivative(grid, highest, 0, 2), highest.mul(-16), 1e-12);
});

it("the filter keeps two thirds of the frequencies, the border included", () => {
  const grid = torus({ points: [12], length: 2 * Math.PI });
  expectClose(dealias(grid, wave(grid, [4])), wave(grid, [4]), 1e-13);
  expectClose(dealias(grid, wave(grid, [5])), wave(grid, [5]).mul(0), 1e-13);
  expectClose(dealias(grid, wave(grid, [3]), 0.5), wave(grid, [3]), 1e-13);
});

it("float32 fields stay float32", () => {
  const grid = torus({ points: [8, 8] });
  const x = random.rng(5).normal([8, 8]);
  expect(derivative(grid, x, 0).dtype).toBe("float32");
  expectClose(laplacianInverse(grid, laplacian(grid, x)), x.sub(x.mean()), 1e-4);
});

it("Gaussian random fields have mean 0 and the spectrum that was asked for", () => {
  const grid = torus({ points: [16, 16] });
  const fields = gaussianRandomField(grid, random.rng(6), { batch: 200, alpha: 2, tau: 5 });
  expect(Math.max(...gridMean(grid, fields).abs().data())).toBeLessThan(1e-14);
  const { re, im } = toSpectrum(grid, fields);
  const power = re
    .square()
    .add(im.square())
    .mean(0)
    .div(grid.size ** 2);
  for (const [i, j] of [
    [0, 1],
    [2, 3],
    [15, 1],
  ]) {
    const squared = (2 * Math.PI) ** 2 * (Math.min(i, 16 - i) ** 2 + j ** 2);
    const expected = (5 ** (2 * 2 - 2) / (squared + 25) ** 2) * 2 * 1;
    expect(Math.abs(power.slice([i, j]).item() / expected - 1)).toBeLessThan(0.25);
  }
  const again = gaussianRandomField(grid, random.rng(6), { batch: 200, alpha: 2, tau: 5 });
  expect(again.data()).toEqual(fields.data());
});

it("what does not fit is refused", () => {
  const grid = torus({ points: [8, 8] });
  const cases: [() => unknown, ReturnType<typeof errorLike>][] = [
    [() => torus({ points: [] }), errorLike("ValueError", /points/)],
    [() => torus({ points: [4, 0] }), errorLike("ValueError", /points/)],
    [() => torus({ points: [4], length: -1 }), errorLike("ValueError", /length/)],
    [() => torus({ points: [4], length: [1, 2] }), errorLike("ValueError", /length/)],
    [() => derivative(grid, tensor([1, 2]), 0), errorLike("ShapeError", /last axes/)],
    [() => derivative(grid, scattered([8, 8]), 2), errorLike("ValueError", /axis/)],
    [() => derivative(grid, scattered([8, 8]), 0, 0), errorLike("ValueError", /order/)],
    [() => helmholtzInverse(grid, scattered([8, 8]), 0), errorLike("ValueError", /shift/)],
    [() => dealias(grid, scattered([8, 8]), 0), errorLike("ValueError", /fraction/)],
    [() => toField(grid, { re: f64([1]), im: f64([1]) }), errorLike("ShapeError", /modes/)],
    [() => gaussianRandomField(grid, random.rng(0), { tau: 0 }), errorLike("ValueError", /tau/)],
    [() => sobolevNorm(grid, sum(f64([1])).broadcastTo([8, 8]), { shift: -1 }), errorLike("ValueError", /shift/)],
  ];
  for (const [run, error] of cases) expect(run).toThrow(error);
});
