import { grad, jitSync, random, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, expectGradient, scattered } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  axisConvolution,
  extendModes,
  fourierLayer,
  fromLowSpectrum,
  lowRankConvolution,
  lowSpectrum,
  pointwise,
  spectralConvolution,
  spectralInitializers,
  torus,
  translate,
} from "../src/index.js";

/** The layer's output by its definition, in sums over points and frequencies: x `[batch, inputs, n1, n2]`. */
function byDefinition(x: Tensor, re: Tensor, im: Tensor, m: readonly [number, number], last: number): number[] {
  const [batch, inputs, n1, n2] = x.shape;
  const outputs = re.shape[1];
  const y: number[] = [];
  const at = (t: Tensor, ...index: number[]) => t.slice(index).item();
  for (let b = 0; b < batch; b++) {
    for (let o = 0; o < outputs; o++) {
      const out = new Float64Array(n1 * last);
      for (let p = 0; p < 2 * m[0]; p++) {
        const k1 = p < m[0] ? p : p - 2 * m[0];
        for (let k2 = 0; k2 < m[1]; k2++) {
          let [sr, si] = [0, 0];
          for (let i = 0; i < inputs; i++) {
            let [xr, xi] = [0, 0];
            for (let a = 0; a < n1; a++) {
              for (let c = 0; c < n2; c++) {
                const angle = -2 * Math.PI * ((k1 * a) / n1 + (k2 * c) / n2);
                xr += at(x, b, i, a, c) * Math.cos(angle);
                xi += at(x, b, i, a, c) * Math.sin(angle);
              }
            }
            const [wr, wi] = [at(re, i, o, p, k2), at(im, i, o, p, k2)];
            sr += xr * wr - xi * wi;
            si += xr * wi + xi * wr;
          }
          for (let a = 0; a < n1; a++) {
            for (let c = 0; c < last; c++) {
              const angle = 2 * Math.PI * ((k1 * a) / n1 + (k2 * c) / last);
              const twice = k2 === 0 || 2 * k2 === last ? 1 : 2;
              out[a * last + c] += (twice * (sr * Math.cos(angle) - si * Math.sin(angle))) / (n1 * last);
            }
          }
        }
      }
      y.push(...out);
    }
  }
  return y;
}

describe("spectralConvolution", () => {
  const layer = spectralConvolution({
    inputs: 2,
    outputs: 3,
    modes: [2, 3],
    weightInit: spectralInitializers.normal(),
  });
  const params = layer.init(random.rng(0), "float64");

  it("is its definition in sums", () => {
    const x = scattered([2, 2, 5, 6]);
    expectClose(
      layer.apply(params, x).flatten(),
      byDefinition(x, params.weight.re, params.weight.im, [2, 3], 6),
      1e-12,
    );
  });

  it("with another number of points in time it rescales amplitudes", () => {
    const x = scattered([1, 2, 4, 6]);
    const expected = byDefinition(x, params.weight.re, params.weight.im, [2, 3], 9);
    expectClose(layer.apply(params, x, [4, 9]).flatten(), expected, 1e-12);
  });

  it("does the same on a finer grid of the same field, whose values it interpolates", () => {
    const coarse = fromLowSpectrum(lowSpectrum(scattered([1, 2, 8, 8]), [3, 3]), [3, 3], [8, 8]);
    const fine = fromLowSpectrum(lowSpectrum(coarse, [3, 3]), [3, 3], [16, 16]).mul(4);
    const onFine = layer.apply(params, fine);
    const everySecond = onFine.slice([null, null, { step: 2 }, { step: 2 }]);
    expectClose(everySecond, layer.apply(params, coarse), 1e-12);
  });

  it("commutes with translations", () => {
    const grid = torus({ points: [8, 7] });
    const x = scattered([1, 2, 8, 7]);
    const moved = layer.apply(params, translate(grid, x, 0, 0.2));
    expectClose(moved, translate(grid, layer.apply(params, x), 0, 0.2), 1e-11);
  });

  it("gradients of input and complex weights are those of differences, compiled as well", () => {
    const x = scattered([1, 2, 4, 5]);
    const f = (u: Tensor, re: Tensor, im: Tensor) => layer.apply({ weight: { re, im } }, u).square().sum();
    expectGradient(f, [x, params.weight.re, params.weight.im]);
    const slope = (u: Tensor) => grad((v: Tensor) => layer.apply(params, v).square().sum())(u);
    expectClose(jitSync(slope)(x), slope(x), 1e-12);
  });

  it("adds its bias to the coefficients", () => {
    const biased = spectralConvolution({ inputs: 2, outputs: 3, modes: [2, 3], bias: 0.1 });
    const own = biased.init(random.rng(1), "float64");
    expect(own.bias?.re.shape).toEqual([3, 4, 3]);
    const x = scattered([1, 2, 6, 6]);
    const re = scattered([3, 4, 3]);
    const im = scattered([3, 4, 3]).mul(-1);
    const shifted = biased.apply({ weight: own.weight, bias: { re, im } }, x);
    const alone = fromLowSpectrum({ re: re.mul(0.1), im: im.mul(0.1) }, [2, 3], [6, 6]);
    expectClose(shifted.sub(biased.apply(own, x)), alone.expandDims(0), 1e-13);
  });

  it("works in one and three dimensions", () => {
    for (const modes of [[3], [2, 2, 3]]) {
      const each = spectralConvolution({ inputs: 1, outputs: 2, modes });
      const grid = modes.map((m) => 2 * m + 1);
      expect(each.apply(each.init(random.rng(2)), scattered([2, 1, ...grid])).shape).toEqual([2, 2, ...grid]);
    }
  });

  it("refuses grids that are too small for its modes, and wrong shapes", () => {
    expect(() => layer.apply(params, scattered([1, 2, 3, 6]))).toThrow(
      errorLike("ShapeError", /2 modes do not fit 3 points/),
    );
    expect(() => layer.apply(params, scattered([1, 2, 4, 3]))).toThrow(
      errorLike("ShapeError", /3 modes do not fit 3 points/),
    );
    expect(() => layer.apply(params, scattered([1, 1, 4, 6]))).toThrow(
      errorLike("ShapeError", /\[batch, 2, ...grid\]/),
    );
    expect(() => spectralConvolution({ inputs: 0, outputs: 1, modes: [1] })).toThrow(errorLike("ValueError", /inputs/));
    expect(() => spectralConvolution({ inputs: 1, outputs: 1, modes: [0] })).toThrow(errorLike("ValueError", /modes/));
  });
});

it("more modes with zeros in the new ones change nothing", () => {
  const x = scattered([1, 1, 9, 12]);
  const low = lowSpectrum(x, [2, 3]);
  expectClose(
    fromLowSpectrum(extendModes(low, [2, 3], [4, 6]), [4, 6], [9, 12]),
    fromLowSpectrum(low, [2, 3], [9, 12]),
    1e-13,
  );
  expectClose(extendModes(low, [2, 3], [2, 3]), low, 0);
});

it("a convolution factorised along axes is the sum of those along each", () => {
  const layer = axisConvolution({ inputs: 2, outputs: 3, modes: [2, 3] });
  const params = layer.init(random.rng(3), "float64");
  const x = scattered([2, 2, 5, 6]);
  const rows = spectralConvolution({ inputs: 2, outputs: 3, modes: [3] });
  const columns = spectralConvolution({ inputs: 2, outputs: 3, modes: [2] });
  const expected = Array.from({ length: 5 }, (_, i) => rows.apply({ weight: params[1] }, x.slice([null, null, i])));
  const others = Array.from({ length: 6 }, (_, j) =>
    columns.apply({ weight: params[0] }, x.slice([null, null, null, j])),
  );
  const y = layer.apply(params, x);
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 6; j++) {
      const sum = expected[i].slice([null, null, j]).add(others[j].slice([null, null, i]));
      expectClose(y.slice([null, null, i, j]), sum, 1e-12);
    }
  }
  expect(() => layer.apply(params, scattered([1, 2, 5, 3]))).toThrow(errorLike("ShapeError", /do not fit/));
});

it("a convolution of low rank is the one with the weights that its factors make", () => {
  const layer = lowRankConvolution({ inputs: 2, outputs: 3, modes: [2, 2], rank: 2 });
  const { inputs, outputs, modes } = layer.init(random.rng(4), "float64");
  const x = scattered([1, 2, 5, 6]);
  const at = (t: Tensor, ...index: number[]) => t.slice(index).item();
  const [re, im] = [new Float64Array(2 * 3 * 4 * 2), new Float64Array(2 * 3 * 4 * 2)];
  for (let n = 0; n < re.length; n++) {
    const [i, o, k, l] = [Math.floor(n / 24), Math.floor(n / 8) % 3, Math.floor(n / 2) % 4, n % 2];
    for (let r = 0; r < 2; r++) {
      const gain = at(inputs, r, i) * at(outputs, r, o);
      const [ar, ai] = [at(modes[0].re, r, k), at(modes[0].im, r, k)];
      const [br, bi] = [at(modes[1].re, r, l), at(modes[1].im, r, l)];
      re[n] += gain * (ar * br - ai * bi);
      im[n] += gain * (ar * bi + ai * br);
    }
  }
  const dense = spectralConvolution({ inputs: 2, outputs: 3, modes: [2, 2] });
  const weight = { re: tensor(re, { shape: [2, 3, 4, 2] }), im: tensor(im, { shape: [2, 3, 4, 2] }) };
  expectClose(layer.apply({ inputs, outputs, modes }, x), dense.apply({ weight }, x), 1e-12);
});

it("a Fourier layer is the activation of both paths; with other points of the convolution alone", () => {
  const convolution = spectralConvolution({ inputs: 2, outputs: 2, modes: [2, 2] });
  const layer = fourierLayer({ convolution, channels: 2, activation: "relu" });
  const params = layer.init(random.rng(5), "float64");
  const x = scattered([1, 2, 5, 5]);
  const skip = pointwise({ inputs: 2, outputs: 2 });
  const sum = convolution.apply(params.convolution, x).add(skip.apply(params.skip, x));
  expectClose(layer.apply(params, x), sum.relu(), 1e-13);
  const other = layer.apply(params, x, [5, 9]);
  expectClose(other, convolution.apply(params.convolution, x, [5, 9]).relu(), 1e-13);
  expect(() => skip.apply(params.skip, scattered([1, 3, 5]))).toThrow(errorLike("ValueError", /\[batch, 2, ...grid\]/));
});
