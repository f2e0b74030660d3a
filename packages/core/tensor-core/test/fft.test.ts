import { readFixture } from "@offprint/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as fft from "../src/fft/index.js";
import { asTensor, grad, mul, slice, sum, type Tensor, tensor, vmap } from "../src/index.js";

interface Parts {
  re: string;
  im: string;
}

const fixture = readFixture<any>(import.meta.url, "fft.json");

function decode(text: string): Float64Array {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return new Float64Array(bytes.buffer);
}

function sequence(n: number, a: number, b: number): Float64Array {
  return Float64Array.from({ length: n }, (_, j) => ((j * j * a + j * b + 12345) % 1009) / 1009 - 0.5);
}

function complexSequence(n: number, shape: readonly number[] = [n]): fft.Complex {
  return { re: tensor(sequence(n, 7919, 104729), { shape }), im: tensor(sequence(n, 6101, 15485), { shape }) };
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return worst;
}

function expectParts(actual: fft.Complex, expected: Parts, tolerance: number): void {
  expect(distance(actual.re.data(), decode(expected.re))).toBeLessThan(tolerance);
  expect(distance(actual.im.data(), decode(expected.im))).toBeLessThan(tolerance);
}

describe("against numpy.fft", () => {
  it("agrees for lengths 1 to 64", () => {
    fixture.small.forEach((expected: Parts, i: number) => {
      expectParts(fft.fft(complexSequence(i + 1)), expected, 4e-14);
    });
  });

  it.each(fixture.large as { n: number; bins: number[]; values: Parts }[])("agrees for length $n", (expected) => {
    const y = fft.fft(complexSequence(expected.n));
    const at = (part: Tensor) => expected.bins.map((k) => part.data()[k]);
    const scale = 2e-16 * expected.n * Math.log2(expected.n);
    expect(distance(at(y.re), decode(expected.values.re))).toBeLessThan(scale);
    expect(distance(at(y.im), decode(expected.values.im))).toBeLessThan(scale);
  });

  it.each(fixture.real as { n: number; rfft: Parts; irfft: string }[])("agrees for real length $n", (expected) => {
    const { n } = expected;
    expectParts(fft.rfft(tensor(sequence(n, 7919, 104729))), expected.rfft, 1e-14);
    const back = fft.irfft(complexSequence(Math.floor(n / 2) + 1), { n });
    expect(distance(back.data(), decode(expected.irfft))).toBeLessThan(1e-14);
  });

  it("agrees along two and three axes, cut, padded and in other norms", () => {
    const expected = fixture.threeDimensional;
    const x = complexSequence(4 * 7 * 6, [4, 7, 6]);
    expectParts(fft.fftn(x), expected.fftn, 1e-13);
    expectParts(fft.fftn(x, { axes: [0, 2] }), expected.fftnAxes02, 1e-13);
    expectParts(fft.ifftn(x), expected.ifftn, 1e-14);
    expectParts(fft.fft2(x), expected.fft2, 1e-13);
    expectParts(fft.rfftn(x.re), expected.rfftn, 1e-13);
    expectParts(fft.fftn(x, { shape: [5, 6], axes: [0, 1] }), expected.fftnPadded, 1e-13);
    expectParts(fft.fft(x, { axis: 1, norm: "ortho" }), expected.orthoAxis1, 1e-14);
    const real = fft.irfftn(x, { shape: [4, 7, 11], axes: [0, 1, 2] });
    expect(real.shape).toEqual([4, 7, 11]);
    expect(distance(real.data(), decode(expected.irfftn))).toBeLessThan(1e-14);
  });

  it("gives the same frequencies", () => {
    for (const { n, fft: full, rfft: half } of fixture.frequencies) {
      expect(distance(fft.fftfreq(n, { spacing: 0.1, dtype: "float64" }).data(), full)).toBeLessThan(1e-14);
      expect(distance(fft.rfftfreq(n, { spacing: 0.1, dtype: "float64" }).data(), half)).toBeLessThan(1e-14);
    }
  });
});

const signal = fc
  .integer({ min: 1, max: 300 })
  .chain((n) =>
    fc.tuple(...[0, 1, 2, 3].map(() => fc.float64Array({ minLength: n, maxLength: n, min: -1, max: 1, noNaN: true }))),
  );

describe("identities, for any length", () => {
  it("the inverse undoes the transform", () => {
    fc.assert(
      fc.property(signal, ([re, im]) => {
        const back = fft.ifft(fft.fft({ re, im }));
        expect(distance(back.re.data(), re)).toBeLessThan(1e-14 * 10);
        expect(distance(back.im.data(), im)).toBeLessThan(1e-14 * 10);
      }),
    );
  });

  it("it is linear and keeps energy (Parseval)", () => {
    fc.assert(
      fc.property(signal, ([a, b, c, d]) => {
        const x = fft.fft({ re: a, im: b });
        const y = fft.fft({ re: c, im: d });
        const both = fft.fft({ re: a.map((v, i) => 2 * v - c[i]), im: b.map((v, i) => 2 * v - d[i]) });
        const combined = x.re.data().map((v, i) => 2 * v - y.re.data()[i]);
        expect(distance(both.re.data(), combined)).toBeLessThan(1e-11);
        const energy = (p: ArrayLike<number>, q: ArrayLike<number>) =>
          Array.from(p).reduce((s, v, i) => s + v * v + q[i] * q[i], 0);
        expect(energy(x.re.data(), x.im.data()) / a.length).toBeCloseTo(energy(a, b), 9);
      }),
    );
  });

  it("real input gives the same as complex input with a zero imaginary part", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), fc.boolean(), (rows, n, inverse) => {
        const re = tensor(sequence(rows * n, 7919, 104729), { shape: [rows, n] });
        const im = tensor(new Float64Array(rows * n), { shape: [rows, n] });
        const f = inverse ? fft.ifft : fft.fft;
        for (const axis of [0, 1]) {
          const fast = f(re, { axis });
          const full = f({ re, im }, { axis });
          expect(distance(fast.re.data(), full.re.data())).toBeLessThan(1e-13);
          expect(distance(fast.im.data(), full.im.data())).toBeLessThan(1e-13);
        }
      }),
    );
  });

  it("irfft undoes rfft for even and odd lengths", () => {
    for (let n = 1; n <= 33; n++) {
      const x = sequence(n, 7919, 104729);
      expect(distance(fft.irfft(fft.rfft(x), { n }).data(), x)).toBeLessThan(1e-15 * 4);
    }
  });

  it("a pure tone has one term, exactly zero phase at quarter turns", () => {
    const y = fft.fft(Float64Array.of(1, 0, -1, 0));
    expect([...y.re.data()]).toEqual([0, 2, 0, 2]);
    expect([...y.im.data()].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });

  it("shifting twice restores odd and even extents", () => {
    const x = tensor(sequence(35, 7919, 104729), { shape: [5, 7] });
    expect(fft.ifftshift(fft.fftshift(x)).toArray()).toEqual(x.toArray());
    expect(fft.fftshift(fft.fftfreq(5, { spacing: 0.2 })).toArray()).toEqual([-2, -1, 0, 1, 2]);
    expect(fft.fftshift(x, 1).toArray()).not.toEqual(x.toArray());
  });

  it("float32 comes out as float32, computed in double precision", () => {
    const x = Float32Array.from(sequence(1000, 7919, 104729));
    const y = fft.fft(x);
    expect(y.re.dtype).toBe("float32");
    expect(distance(y.re.data(), Float32Array.from(fft.fft(Float64Array.from(x)).re.data()))).toBe(0);
  });
});

describe("as a differentiable primitive", () => {
  const weights = complexSequence(12, [12]);
  const score = (x: Tensor, f: (x: Tensor) => fft.Complex) => {
    const y = f(x);
    const w = (part: Tensor) => slice(part, [{ stop: y.re.size }]);
    return sum(mul(mul(y.re, y.re), w(weights.re)).add(mul(mul(y.im, y.re), w(weights.im))));
  };
  const numeric = (f: (x: Tensor) => Tensor, x: Float64Array) =>
    x.map((_, i) => {
      const at = (h: number) => f(tensor(x.map((v, j) => (i === j ? v + h : v)))).item();
      return (at(1e-5) - at(-1e-5)) / 2e-5;
    });

  it.each([
    ["fft", (x: Tensor) => fft.fft(x)],
    ["ifft", (x: Tensor) => fft.ifft({ re: x, im: mul(x, x) })],
    ["padded fft", (x: Tensor) => fft.fft(x, { n: 12 })],
    ["cut ortho fft", (x: Tensor) => fft.fft(x, { n: 5, norm: "ortho" })],
    ["rfft", (x: Tensor) => fft.rfft(x)],
    ["irfft", (x: Tensor) => ({ re: fft.irfft(x, { n: 11 }), im: fft.irfft({ re: x, im: x }, { n: 11 }) })],
  ] as [string, (x: Tensor) => fft.Complex][])("the gradient of %s is that of finite differences", (_, f) => {
    const x = sequence(7, 7919, 104729);
    const exact = grad((v: Tensor) => score(v, f))(tensor(x)) as Tensor;
    expect(
      distance(
        exact.data(),
        numeric((v) => score(v, f), x),
      ),
    ).toBeLessThan(1e-8);
  });

  it("differentiates twice", () => {
    const cubic = (x: Tensor) => {
      const y = fft.fft(x);
      return sum(mul(mul(y.re, y.re), y.re));
    };
    const x = sequence(6, 7919, 104729);
    const first = (v: Tensor) => slice(grad(cubic)(v) as Tensor, [2]);
    const exact = grad(first)(tensor(x)) as Tensor;
    expect(distance(exact.data(), numeric(first, x))).toBeLessThan(1e-6);
  });

  it("vmap equals the loop, for either part batched", () => {
    const batch = tensor(sequence(15, 7919, 104729), { shape: [3, 5] });
    const fixed = tensor(sequence(5, 6101, 15485));
    for (const f of [
      (x: Tensor) => fft.fft(x).im,
      (x: Tensor) => fft.ifft({ re: fixed, im: x }).re,
      (x: Tensor) => fft.fft({ re: x, im: fixed }).re,
    ]) {
      const mapped = vmap(f)(batch) as Tensor;
      for (let i = 0; i < 3; i++) {
        expect(distance(slice(mapped, [i]).data(), f(slice(batch, [i])).data())).toBeLessThan(1e-15);
      }
    }
  });
});

describe("bad input", () => {
  const x = asTensor([1, 2, 3]);
  it.each([
    ["an empty axis", () => fft.fft(tensor(new Float64Array(0))), "ValueError"],
    ["a scalar", () => fft.fft(tensor(1)), "ShapeError"],
    ["a missing axis", () => fft.fft(x, { axis: 1 }), "IndexError"],
    ["length 0", () => fft.fft(x, { n: 0 }), "ValueError"],
    ["a fractional length", () => fft.ifft(x, { n: 2.5 }), "ValueError"],
    ["parts that do not fit", () => fft.fft({ re: x, im: [1, 2] }), "ShapeError"],
    ["complex input of rfft", () => fft.rfft({ re: x, im: x } as never), "DTypeError"],
    ["irfft of one term without a length", () => fft.irfft([1]), "ValueError"],
    ["a repeated axis", () => fft.fftn([[1]], { axes: [0, 0] }), "ShapeError"],
    ["more lengths than axes", () => fft.fftn([[1]], { axes: [0], shape: [1, 1] }), "ShapeError"],
    ["an unknown norm", () => fft.fft(x, { norm: "unit" as never }), "ValueError"],
    ["zero frequencies", () => fft.fftfreq(0), "ValueError"],
    ["zero spacing", () => fft.rfftfreq(4, { spacing: 0 }), "ValueError"],
  ])("%s is a typed error", (_, run, name) => {
    expect(run).toThrow(expect.objectContaining({ name }));
  });
});
