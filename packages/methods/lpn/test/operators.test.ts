import { add, matmul, mul, ones, random, sum, type Tensor, transpose, zeros } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  blur,
  gaussianMatrix,
  largestEigenvalue,
  type Measurement,
  mask,
  matrixMeasurement,
  measurement,
  radon,
  randomConvolution,
} from "../src/index.js";

const rng = random.rng("operators");
const draw = (shape: readonly number[]) => rng.normal([2, ...shape], { dtype: "float64" });

const operators: [string, Measurement][] = [
  ["blur", blur({ input: [3, 5, 6], sigma: 1.3 })],
  [
    "mask",
    mask([
      [1, 0, 1],
      [0, 0, 1],
    ]),
  ],
  ["gaussianMatrix", gaussianMatrix(rng, { input: [3, 4], measurements: 5 })],
  ["randomConvolution", randomConvolution(rng, { input: [3, 5], measurements: 7 })],
  ["randomConvolution of an even size", randomConvolution(rng, { input: [4, 4], measurements: 16 })],
  ["radon", radon({ size: 6, angles: 7 })],
  ["a sum", measurement({ input: [4], apply: (x) => x.sum(1) })],
  ["one of its own", measurement({ input: [4, 4], apply: (x) => x.slice([null, { step: 2 }]) })],
];

describe.each(operators)("%s", (name, { input, output, apply, adjoint }) => {
  it("is linear, and its adjoint is: <A x, y> = <x, A^T y>", () => {
    const [x, other, y] = [draw(input), draw(input), draw(output)];
    expect(apply(x).shape).toEqual([2, ...output]);
    expect(adjoint(y).shape).toEqual([2, ...input]);
    expectClose(sum(mul(apply(x), y)).item(), sum(mul(x, adjoint(y))).item(), 1e-11);
    expectClose(apply(add(mul(x, 2), other)).data(), add(mul(apply(x), 2), apply(other)).data(), 1e-12);
  });

  it("keeps the precision of its input", () => {
    expect(apply(draw(input).cast("float32")).dtype).toBe("float32");
    expect(adjoint(draw(output).cast("float32")).dtype).toBe("float32");
  });

  it("takes integers for the numbers that they are", () => {
    const whole = (shape: readonly number[]) => rng.randint([2, ...shape], { low: -9, high: 10 });
    for (const [linear, counts] of [[apply, whole(input)] as const, [adjoint, whole(output)] as const]) {
      expectClose(linear(counts).data(), linear(counts.cast("float64")).data(), 1e-12);
    }
  });

  it("refuses what is no batch of its inputs", () => {
    const one = draw(input).slice([0]);
    expect(() => adjoint(draw(output).slice([0]))).toThrow(errorLike("ShapeError", /give a batch/));
    if (name !== "one of its own" && name !== "a sum")
      expect(() => apply(one)).toThrow(errorLike("ShapeError", /give a batch/));
  });
});

it("blur keeps what is flat, also at the border, and with little sigma everything", () => {
  const flat = ones([1, 4, 5], "float64");
  expectClose(
    blur({ input: [4, 5], sigma: 2 })
      .apply(flat)
      .data(),
    flat.data(),
    1e-12,
  );
  const x = draw([4, 5]);
  expectClose(
    blur({ input: [4, 5], sigma: 0.05 })
      .apply(x)
      .data(),
    x.data(),
    1e-12,
  );
});

it("the whole random convolution is orthogonal", () => {
  const { apply, adjoint, input } = randomConvolution(rng, { input: [4, 4], measurements: 16 });
  const x = draw(input);
  expectClose(adjoint(apply(x)).data(), x.data(), 1e-12);
});

it("a projection sums all of the image at every angle, and straight ones sum its columns and rows", () => {
  const { apply, output } = radon({ size: 6, angles: 4, detectors: 10 });
  const x = draw([6, 6]);
  const sinogram = apply(x);
  expectClose(sum(sinogram, 2).data(), sum(x, [1, 2]).reshape([2, 1]).broadcastTo([2, 4]).data(), 1e-12);
  const [columns, rows] = [sinogram.slice([null, 0]), sinogram.slice([null, 2])].map((s) =>
    s.slice([null, { start: 2, stop: 8 }]),
  );
  expectClose(columns.data(), sum(x, 1).data(), 1e-12);
  expectClose(rows.data(), sum(x, 2).data(), 1e-12);
  expect(output).toEqual([4, 10]);
});

it("filtered back-projection gives a smooth image back", () => {
  const size = 32;
  const scan = radon({ size, angles: 80 });
  const bump = Float64Array.from({ length: size ** 2 }, (_, k) => {
    const [row, column] = [Math.floor(k / size), k % size];
    return Math.exp(-((row - 15) ** 2 + (column - 17) ** 2) / 32);
  });
  const image = f64(bump, [1, size, size]);
  // Sharing pixels among two detectors ripples by a few per cent.
  expectClose(scan.filteredBackprojection(scan.apply(image)).data(), bump, 0.05);
});

it("finds the largest eigenvalue of A^T A", async () => {
  const a = rng.normal([5, 3], { dtype: "float64" });
  const squares = matmul(transpose(a), a);
  let v: Tensor = ones([3, 1], "float64");
  for (let k = 0; k < 500; k++) v = matmul(squares, v).div(matmul(squares, v).square().sum().sqrt());
  expectClose(await largestEigenvalue(matrixMeasurement(a)), matmul(squares, v).square().sum().sqrt().item(), 1e-6);
});

it("refuses what is no linear measurement", () => {
  expect(() => measurement({ input: [2], apply: (x) => x.add(1) })).toThrow(errorLike("ValueError", /not linear/));
  for (const apply of [(x: Tensor) => x.square(), (x: Tensor) => x.abs(), (x: Tensor) => x.maximum(0)]) {
    expect(() => measurement({ input: [2], apply })).toThrow(errorLike("ValueError", /not linear/));
  }
  for (const apply of [(x: Tensor) => x.sum(), (x: Tensor) => x.mean(0, { keepDims: true })]) {
    expect(() => measurement({ input: [2], apply })).toThrow(errorLike("ShapeError", /batch of five/));
  }
  const threefold = (x: Tensor) => x.mul([1, 3]);
  const wrong: [unknown, string, RegExp][] = [
    [(y: Tensor) => y, "ValueError", /adjoint is not that of apply.*leave it out/],
    [(y: Tensor) => y.slice([null, 0]), "ShapeError", /what adjoint gave/],
    [3, "ValueError", /adjoint is 3/],
  ];
  for (const [adjoint, name, message] of wrong) {
    const options = { input: [2], apply: threefold, adjoint: adjoint as typeof threefold };
    expect(() => measurement(options)).toThrow(errorLike(name, message));
  }
  expect(measurement({ input: [2], apply: threefold, adjoint: threefold }).output).toEqual([2]);
  expect(() => mask([0.5, 1])).toThrow(errorLike("ValueError", /entry 0 is 0\.5/));
  expect(() => mask([1, Number.NaN])).toThrow(errorLike("ValueError", /entry 1 is NaN/));
  expect(() => mask(1)).toThrow(errorLike("ShapeError", /extents/));
  expect(() => matrixMeasurement(zeros([0, 3]))).toThrow(errorLike("ShapeError", /give \[m, n\]/));
  expect(() => gaussianMatrix(rng, { input: [0], measurements: 2 })).toThrow(
    errorLike("ValueError", /extent of input/),
  );
  expect(() => randomConvolution(rng, { measurements: 2 } as never)).toThrow(errorLike("ValueError", /no input/));
  expect(() => blur({ input: [4, 2.5], sigma: 1 })).toThrow(errorLike("ValueError", /extent of input/));
  expect(() => matrixMeasurement(ones([2, 3]), [2, 2])).toThrow(errorLike("ShapeError", /\[m, 4\]/));
  expect(() => blur({ input: [4], sigma: 1 })).toThrow(errorLike("ShapeError", /height, width/));
  expect(() => blur({ input: [4, 4], sigma: 0 })).toThrow(errorLike("ValueError", /sigma/));
  expect(() => radon({ size: 4, angles: 0 })).toThrow(errorLike("ValueError", /angles/));
  expect(() => randomConvolution(rng, { input: [4], measurements: 5 })).toThrow(
    errorLike("ValueError", /measurements/),
  );
});
