import { expectClose, scattered } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { cast, conv, grad, jitSync, mul, sum, type Tensor } from "../../src/index.js";

interface Geometry {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly strides?: number | number[];
  readonly padding?: (number | [number, number])[];
  readonly dilation?: number | number[];
  readonly groups?: number;
}

/** Channels that fill vectors in float32 alone, in both, and in neither. */
const geometries: Geometry[] = [
  { x: [2, 3, 9], w: [8, 3, 3] },
  { x: [2, 4, 9], w: [5, 4, 3], padding: [[2, 0]] },
  { x: [3, 8, 1], w: [8, 8, 1] },
  { x: [2, 6, 11], w: [7, 6, 2], strides: 3, padding: [[0, 4]] },
  { x: [2, 4, 7], w: [4, 4, 1], strides: 2 },
  { x: [1, 4, 10], w: [4, 4, 4], strides: 2, dilation: 2, padding: [3] },
  { x: [1, 4, 16], w: [4, 4, 3], strides: 4, dilation: 6, padding: [[5, 6]] },
  { x: [2, 1, 8, 8], w: [8, 1, 4, 4], strides: 2, padding: [1, 1] },
  { x: [2, 8, 7, 6], w: [16, 8, 3, 3], padding: [1, 1] },
  { x: [3, 8, 5, 5], w: [12, 8, 1, 1] },
  { x: [2, 8, 2, 9], w: [8, 8, 2, 3], strides: [1, 2], padding: [[1, 0], 0] },
  { x: [2, 16, 6, 5], w: [8, 4, 3, 2], groups: 4, padding: [0, [1, 2]] },
  { x: [1, 8, 6, 6], w: [16, 4, 2, 2], groups: 2, strides: 3, dilation: [2, 1] },
  { x: [2, 6, 5, 5], w: [6, 1, 3, 3], groups: 6, padding: [1, 1] },
  { x: [2, 4, 4, 4], w: [2, 4, 3, 3], padding: [1, 1] },
  { x: [5, 16, 4, 4], w: [20, 16, 4, 4] },
  { x: [2, 4, 5, 5], w: [8, 4, 2, 2], strides: 5, padding: [4, [7, 0]] },
  { x: [2, 2, 6, 6, 6], w: [4, 2, 4, 4, 4], strides: 2, padding: [1, 1, 1] },
  { x: [1, 8, 5, 4, 7], w: [16, 8, 3, 1, 2], strides: [2, 1, 3], padding: [[2, 1], 0, [0, 1]] },
  { x: [1, 4, 3, 4, 5], w: [8, 2, 2, 2, 2], groups: 2, dilation: [2, 1, 3] },
];

const options = ({ x: _, w: __, ...rest }: Geometry) => rest;

describe("compiled convolutions", () => {
  it.each(geometries)("equal the host's kernels, gradients of both orders too: $x with $w", (geometry) => {
    for (const dtype of ["float32", "float64"] as const) {
      const [x, w] = [geometry.x, geometry.w].map((shape, i) => cast(scattered([...shape], i + 1), dtype));
      const f = (a: Tensor, b: Tensor) => conv(a, b, options(geometry));
      const loss = (a: Tensor, b: Tensor) => sum(mul(f(a, b), cast(scattered(f(a, b).shape, 3), dtype)));
      const first = grad(loss, { argument: [0, 1] });
      const second = grad(
        (a: Tensor, b: Tensor) => {
          const [da, db] = first(a, b);
          return sum(mul(sum(mul(da, x)), sum(mul(db, db))));
        },
        { argument: [0, 1] },
      );
      const all = (a: Tensor, b: Tensor): Tensor[] => [f(a, b), ...first(a, b), ...second(a, b)];
      const compiled = jitSync(all)(x, w);
      all(x, w).forEach((expected, i) => {
        const largest = Math.max(...Array.from(expected.data(), Math.abs));
        const scale = 1 / Math.max(largest, 1e-30);
        expectClose(mul(compiled[i], scale), mul(expected, scale), dtype === "float32" ? 3e-6 : 1e-14);
      });
    }
  });

  it("make no matrices of patches where channels fill vectors", () => {
    const [x, w] = [scattered([2, 4, 12, 12]), scattered([8, 4, 3, 3])];
    const f = jitSync((a: Tensor, b: Tensor) => conv(a, b, { padding: 1 }));
    const program = String(f.program(x, w));
    expect(program).toContain("conv [2, 4, 14, 14], [8, 4, 3, 3]");
    expect(Number(/(\d+) bytes of memory/.exec(program)?.[1])).toBeLessThan(
      8 * (2 * 4 * 14 * 14 + 2 * 8 * 144 + 2 * 4 * 144 + 3000),
    );
  });
});
