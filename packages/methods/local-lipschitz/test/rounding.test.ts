import { activation, perceptron } from "@offprint/networks";
import { random } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import { boxAround, forwardBounds, jacobianBounds, localLipschitz } from "../src/index.js";

/** An exact number: `n 2^-e`. Sums and products of float64 numbers are such, and nothing is rounded. */
interface Exact {
  readonly n: bigint;
  readonly e: number;
}

function exactly(x: number): Exact {
  let [value, e] = [x, 0];
  while (!Number.isInteger(value)) {
    value *= 2;
    e += 1;
  }
  return { n: BigInt(value), e };
}
const aligned = (a: Exact, e: number): bigint => a.n << BigInt(e - a.e);
function plus(a: Exact, b: Exact): Exact {
  const e = Math.max(a.e, b.e);
  return { n: aligned(a, e) + aligned(b, e), e };
}
const times = (a: Exact, b: Exact): Exact => ({ n: a.n * b.n, e: a.e + b.e });
const magnitude = (a: Exact): Exact => (a.n < 0n ? { n: -a.n, e: a.e } : a);
function atMost(a: Exact, b: Exact): boolean {
  const e = Math.max(a.e, b.e);
  return aligned(a, e) <= aligned(b, e);
}
const zero: Exact = { n: 0n, e: 0 };

it("bounds hold in exact arithmetic, where the same sums in float64 are wrong", async () => {
  const [d, n] = [6, 5];
  let wrong = 0;
  for (let seed = 0; seed < 40; seed++) {
    const rng = random.rng(`rounding ${seed}`);
    const matrix = (rows: number, columns: number) => {
      const values = rng.normal([rows, columns], { dtype: "float64" }).toArray() as number[][];
      // Neighbours cancel but for their last digits.
      return values.map((row) =>
        row.map((value, j) => (j % 2 === 0 ? 1e6 * value : -1e6 * row[j - 1] * (1 + 1e-13 * value))),
      );
    };
    const weights = [matrix(n, d), matrix(n, n + 1), matrix(1, n)].map((rows, k) =>
      k === 1 ? rows.map((row) => row.slice(0, n)) : rows,
    );
    const x = Array.from({ length: d }, (_, j) => 1 + (j >> 1));
    const network = perceptron(
      weights.map((weight) => ({ weight })),
      activation("relu"),
    );
    const box = boxAround(x, 0);
    const { lower, upper } = forwardBounds(network, box);
    // Values, layer by layer, exactly.
    let h = x.map(exactly);
    const signs: number[][] = [];
    for (const [k, rows] of weights.slice(0, 2).entries()) {
      const z = rows.map((row) => row.reduce((sum, w, j) => plus(sum, times(exactly(w), h[j])), zero));
      for (const [i, value] of z.entries()) {
        expect(atMost(exactly(lower[k][i]), value)).toBe(true);
        expect(atMost(value, exactly(upper[k][i]))).toBe(true);
        if (k === 0) {
          const naive = rows[i].reduce((sum, w, j) => sum + w * x[j], 0);
          if (!atMost(value, exactly(naive)) || !atMost(exactly(naive), value)) wrong += 1;
        }
      }
      signs.push(z.map(({ n: value }) => (value > 0n ? 1 : 0)));
      h = z.map((value) => (value.n > 0n ? value : zero));
    }
    // The gradient, exactly.
    let g = weights[2][0].map(exactly);
    for (const k of [1, 0]) {
      const rows = weights[k];
      g = rows[0].map((_, j) =>
        rows.reduce((sum, row, i) => (signs[k][i] === 1 ? plus(sum, times(g[i], exactly(row[j]))) : sum), zero),
      );
    }
    const bounds = jacobianBounds(network, box);
    const options = { maxDomains: 0, points: 0 };
    const { value } = await localLipschitz(network, box, options);
    const narrow = await localLipschitz(network, box, { ...options, precision: "float32" });
    for (const [j, each] of g.entries()) {
      expect(atMost(exactly(bounds.lower.data()[j]), each)).toBe(true);
      expect(atMost(each, exactly(bounds.upper.data()[j]))).toBe(true);
    }
    const norm = g.reduce((sum, each) => plus(sum, magnitude(each)), zero);
    expect(atMost(norm, exactly(value))).toBe(true);
    expect(atMost(norm, exactly(narrow.value))).toBe(true);
  }
  expect(wrong).toBeGreaterThan(20);
});

it("what was seen of a gradient that vanishes is not above the bound that is proved", async () => {
  const one = { weight: [[1]], bias: [0] };
  const network = perceptron([one, one], activation("tanh"));
  const { value, lowerBound, gap } = await localLipschitz(network, boxAround([18.2], 0));
  // 1 - tanh^2 has no digit left there: 6.7e-16.
  expect(value / Math.cosh(18.2) ** -2).toBeCloseTo(1, 6);
  expect(lowerBound).toBe(value);
  expect(gap).toBe(0);
});

it.each(["float64", "float32"] as const)(
  "wide layers, bounded in pieces, have the bounds of each output alone in %s",
  async (precision) => {
    const rng = random.rng("pieces");
    const widths = [3, 700, 45, 3];
    const layers = widths.slice(1).map((rows, k) => ({
      weight: rng.normal([rows, widths[k]], { std: 1 / Math.sqrt(widths[k]), dtype: "float64" }),
      bias: rng.normal([rows], { std: 0.1, dtype: "float64" }),
    }));
    const network = perceptron(layers, activation("relu"));
    const box = boxAround([0.1, -0.2, 0.3], 0.01);
    const options = { maxDomains: 0, optimizeSlopes: false, precision } as const;
    const { perOutput } = await localLipschitz(network, box, options);
    for (const [output, together] of perOutput.entries()) {
      const { value } = await localLipschitz(network, box, { ...options, outputs: [output] });
      expect(Math.abs(value / together - 1)).toBeLessThan(precision === "float64" ? 1e-12 : 1e-4);
    }
  },
);
