import { expectClose, scattered } from "@offprint/testing";
import { afterEach, describe, expect, it } from "vitest";
import { fft, jitSync, setKernels, type Tensor, tensor, transpose } from "../src/index.js";

afterEach(() => setKernels("auto"));

const lengths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 20, 27, 30, 64];
const layouts: [outer: number, inner: number][] = [
  [1, 3],
  [5, 1],
  [3, 2],
  [1, 37],
  [21, 33],
];

/** All transforms along the middle axis of real numbers x. */
function transforms(x: Tensor, n: number): Record<string, Tensor> {
  const half = fft.rfft(x, 1);
  const pair = { re: x, im: x.mul(x) };
  const [there, back] = [fft.fft(pair, 1), fft.ifft(pair, 1)];
  const of = fft.fft(x, 1);
  const real = fft.irfft({ re: half.re.add(0.1), im: half.im.sub(0.2) }, { axis: 1, n });
  return { re: half.re, im: half.im, a: there.re, b: there.im, c: back.re, d: back.im, e: of.re, f: of.im, real };
}

describe.each(["float64", "float32"] as const)("in %s", (dtype) => {
  const tolerance = dtype === "float64" ? 1e-12 : 2e-5;

  it.each(lengths)("WebAssembly, compiled code and plain JavaScript agree for length %i", (n) => {
    for (const [outer, inner] of layouts) {
      const x = tensor(scattered([outer, n, inner]), { dtype });
      const compiled = jitSync((u: Tensor) => transforms(u, n))(x);
      const wasm = transforms(x, n);
      setKernels("js");
      const plain = transforms(x, n);
      expectClose(wasm, plain, tolerance);
      expectClose(compiled, plain, tolerance);
      expectClose(jitSync((u: Tensor) => transforms(u, n))(x), plain, tolerance);
      setKernels("auto");
    }
  });
});

it("compiled code transforms what does not lie row by row, and large arrays go through in parts", () => {
  const x = scattered([6, 8, 10]);
  const f = (u: Tensor) => fft.rfft(transpose(u, [2, 1, 0]), 1);
  expectClose(jitSync(f)(x), f(x), 1e-13);
  for (const shape of [
    [3, 60000, 2],
    [400, 40, 9],
    [2, 16, 5000],
  ]) {
    const large = scattered(shape);
    const back = fft.irfft(fft.rfft(large, 1), { axis: 1, n: shape[1] });
    const whole = fft.ifft(fft.fft({ re: large, im: large }, 1), 1);
    let worst = 0;
    const data = large.data();
    for (const part of [back, whole.re, whole.im]) {
      const values = part.data();
      for (let i = 0; i < values.length; i++) worst = Math.max(worst, Math.abs(values[i] - data[i]));
    }
    expect(worst).toBeLessThan(1e-12);
  }
});
