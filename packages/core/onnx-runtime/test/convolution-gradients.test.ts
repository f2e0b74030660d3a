import { conv, convTranspose, jit, random, type Tensor, vjp } from "@offprint/tensor-core";
import { afterAll, expect, it } from "vitest";
import { onnxRuntime } from "../src/index.js";

const backend = await onnxRuntime({ device: "cpu" });
afterAll(() => backend.release());

const rng = random.rng("convolution gradients");

function largestDifference(a: Tensor, b: Tensor): number {
  const [x, y] = [a.data(), b.data()];
  return Array.from(x).reduce((most, v, i) => Math.max(most, Math.abs(v - y[i]) / (1 + Math.abs(v))), 0);
}

/** Strides of 1, and those that divide the kernel, have lowerings of their own; paddings wider than the kernel, and groups, have the general one. */
const cases = [
  { x: [3, 2, 9], w: [4, 2, 3], options: { padding: 1 } },
  { x: [3, 2, 9], w: [4, 2, 4], options: { padding: [[0, 2]] as [number, number][], dilation: 2 } },
  { x: [2, 3, 6, 5], w: [4, 3, 3, 3], options: { padding: 1 } },
  { x: [2, 3, 6, 5], w: [1, 3, 1, 1], options: {} },
  { x: [2, 1, 7, 6], w: [2, 1, 2, 3], options: { padding: [[1, 0], [0, 2]] as [number, number][] } }, // biome-ignore format: one case a line
  { x: [2, 3, 8, 9], w: [4, 3, 3, 2], options: { padding: "same" as const, dilation: [2, 3] as [number, number] } },
  { x: [2, 3, 6, 5], w: [4, 3, 3, 3], options: { padding: 4 } },
  { x: [2, 4, 6, 5], w: [4, 2, 3, 3], options: { padding: 1, groups: 2 } },
  { x: [2, 3, 6, 7], w: [4, 3, 3, 3], options: { padding: 1, strides: 2 } },
  { x: [2, 2, 4, 5, 6], w: [3, 2, 2, 3, 3], options: { padding: 1 } },
  { x: [2, 3, 8, 8], w: [4, 3, 4, 4], options: { padding: 1, strides: 2 } },
  { x: [2, 3, 9, 6], w: [4, 3, 4, 3], options: { padding: [[1, 0], [0, 2]] as [number, number][], strides: [2, 1] as [number, number] } }, // biome-ignore format: one case a line
  { x: [3, 2, 14], w: [4, 2, 6], options: { strides: 3 } },
  { x: [3, 2, 11], w: [4, 2, 3], options: { padding: 2, strides: 3 } },
  { x: [2, 2, 6, 8, 7], w: [3, 2, 4, 4, 4], options: { padding: 1, strides: 2 } },
];

it.each(cases)("gradients of a convolution of $x by $w with $options are the host's", async ({ x, w, options }) => {
  const [input, kernel] = [rng.normal(x), rng.normal(w)];
  const gradients = (a: Tensor, b: Tensor, g: Tensor) => vjp((u: Tensor, v: Tensor) => conv(u, v, options), a, b)[1](g);
  const g = rng.normal(conv(input, kernel, options).shape);
  const expected = gradients(input, kernel, g) as Tensor[];
  const compiled = (await jit(gradients as any, { backend })(input, kernel, g)) as Tensor[];
  for (const [i, e] of expected.entries()) {
    expect(compiled[i].shape).toEqual(e.shape);
    expect(largestDifference(e, await compiled[i].host())).toBeLessThan(1e-5);
  }
});

it("a transposed convolution of strides 1 is the host's", async () => {
  const [x, w] = [rng.normal([2, 3, 5, 6]), rng.normal([3, 4, 3, 2])];
  const f = (a: Tensor, b: Tensor) => convTranspose(a, b, { padding: 1 });
  expect(largestDifference(f(x, w), await (await jit(f, { backend })(x, w)).host())).toBeLessThan(1e-5);
});
