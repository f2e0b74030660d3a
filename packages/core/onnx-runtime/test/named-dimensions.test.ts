import { readOnnxGraph } from "@offprint/onnx-format";
import {
  add,
  arange,
  conv,
  cumSum,
  div,
  grad,
  logSoftmax,
  matmul,
  maxPool,
  mean,
  mul,
  neg,
  oneHot,
  pad,
  random,
  relu,
  reshape,
  scan,
  slice,
  softmax,
  sort,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
  tree,
  UnsupportedError,
  ValueError,
  variance,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { loadModel, toOnnx } from "../src/index.js";
import { formulaOf, samples, textOf } from "../src/named-dimensions/formula.js";

type Extents = Readonly<Record<string, number>>;
const rng = random.rng(3);
const spec = (...shape: (number | string)[]) => ({ shape, dtype: "float32" }) as const;
const labels = (...shape: (number | string)[]) => ({ shape, dtype: "int32" }) as const;

/** One file, run with several extents, against the function itself; gives the declared shapes of the results. */
async function agree(
  f: (...xs: Tensor[]) => unknown,
  specs: readonly { shape: readonly (number | string)[]; dtype: "float32" | "int32" }[],
  cases: readonly Extents[],
): Promise<unknown[]> {
  const bytes = toOnnx(f, ...specs);
  const model = await loadModel(bytes);
  for (const extents of cases) {
    const args = specs.map(({ shape, dtype }) => {
      const known = shape.map((n) => (typeof n === "string" ? extents[n] : n));
      return dtype === "int32" ? rng.randint(known, { high: 3 }) : rng.normal(known);
    });
    const eager = tree.flatten(f(...args)).leaves as Tensor[];
    const results = await model.run(Object.fromEntries(args.map((x, k) => [`input${k}`, x])));
    for (const [k, y] of eager.entries()) {
      const got = results[`output${k}`];
      expect(got.shape, JSON.stringify(extents)).toEqual(y.shape);
      const [a, b] = [got.data(), y.data()];
      for (let i = 0; i < b.length; i++) expect(a[i], JSON.stringify(extents)).toBeCloseTo(b[i], 3);
    }
  }
  await model.release();
  return readOnnxGraph(bytes).outputs.map(({ shape }) => shape);
}

const batches = [{ N: 1 }, { N: 2 }, { N: 37 }];
const [first, second, kernel] = [rng.normal([64, 16]), rng.normal([16, 3]), rng.normal([4, 1, 3, 3])];

describe("a file with named extents serves any", () => {
  it("a classifier of images", async () => {
    const f = (x: Tensor) => softmax(matmul(relu(matmul(reshape(x, [x.shape[0], 64]), first)), second));
    expect(await agree(f, [spec("N", 1, 8, 8)], batches)).toEqual([["N", 3]]);
  });
  it("a convolutional network", async () => {
    const f = (x: Tensor) => {
      const h = maxPool(relu(conv(x, kernel, { padding: 1 })), 2);
      return matmul(reshape(h, [h.shape[0], -1]), first);
    };
    expect(await agree(f, [spec("N", 1, 8, 8)], batches)).toEqual([["N", 16]]);
  });
  it("attention over a batch of sequences, both of any length", async () => {
    const f = (x: Tensor) => {
      const [n, l, d] = x.shape;
      const q = transpose(reshape(x, [n, l, 2, d / 2]), [0, 2, 1, 3]);
      const weights = softmax(div(matmul(q, transpose(q, [0, 1, 3, 2])), Math.sqrt(d / 2)));
      return reshape(transpose(matmul(weights, q), [0, 2, 1, 3]), [n, l, d]);
    };
    const cases = [
      { N: 1, L: 1 },
      { N: 2, L: 5 },
      { N: 3, L: 7 },
    ];
    expect(await agree(f, [spec("N", "L", 8)], cases)).toEqual([["N", "L", 8]]);
  });
  it("a normalised layer", async () => {
    const f = (x: Tensor) => {
      const centred = sub(x, mean(x, { axis: -1, keepDims: true }));
      return div(centred, sqrt(add(variance(x, { axis: -1, keepDims: true }), 1e-5)));
    };
    expect(await agree(f, [spec("N", 8)], batches)).toEqual([["N", 8]]);
  });
  it("a training step, whose gradient is divided by the size of the batch", async () => {
    const loss = (w: Tensor, x: Tensor, y: Tensor) =>
      neg(mean(sum(mul(logSoftmax(matmul(x, w)), oneHot(y, 3)), { axis: 1 })));
    const step = (w: Tensor, x: Tensor, y: Tensor) => sub(w, mul(grad(loss)(w, x, y) as Tensor, 0.1));
    expect(await agree(step, [spec(5, 3), spec("N", 5), labels("N")], batches)).toEqual([[5, 3]]);
    const squares = (w: Tensor, x: Tensor) => grad((v: Tensor) => mean(square(matmul(x, v))))(w) as Tensor;
    await agree(squares, [spec(5, 3), spec("N", 5)], [...batches, { N: 5000 }]);
  });
  it("sums, running sums and statistics over the open axis", async () => {
    const f = (x: Tensor) => [mean(x), variance(x, { axis: 0, ddof: 1 }), cumSum(x, 0), reshape(x, [-1])];
    expect(await agree(f, [spec("N", 4)], [{ N: 2 }, { N: 300 }])).toEqual([[], [4], ["N", 4], ["4*N"]]);
  });
  it("parts of the open axis, and more than it", async () => {
    const f = (x: Tensor) => [slice(x, [{ start: 1 }]), pad(x, [[2, 1]]), slice(x, [{ step: -1 }])];
    expect(await agree(f, [spec("N")], [{ N: 2 }, { N: 9 }])).toEqual([["N-1"], ["N+3"], ["N"]]);
  });
  it("a loop as long as the input", async () => {
    const f = (xs: Tensor) =>
      scan((c: Tensor, x: Tensor): [Tensor, Tensor] => [add(mul(c, 0.5), x), c], slice(xs, [0]), xs);
    const cases = [
      { T: 1, N: 3 },
      { T: 5, N: 2 },
    ];
    expect(await agree(f, [spec("T", "N", 4)], cases)).toEqual([
      ["N", 4],
      ["T", "N", 4],
    ]);
  });
  it("arguments that are trees, and three names", async () => {
    const bytes = toOnnx((p: { a: Tensor; b: Tensor[] }) => matmul(p.a, p.b[0]), {
      a: spec("A", "B"),
      b: [spec("B", "C")],
    });
    const { inputs, outputs } = readOnnxGraph(bytes);
    expect([...inputs, ...outputs].map(({ shape }) => shape)).toEqual([
      ["A", "B"],
      ["B", "C"],
      ["A", "C"],
    ]);
  });
});

describe("what cannot be left open is refused with the reason", () => {
  it.each<[string, (x: Tensor) => unknown, RegExp]>([
    ["constants of that length", (x) => add(x, arange(0, x.shape[0])), /constant of N numbers is used by Add/],
    ["algorithms that the length decides", (x) => slice(x, [{ step: x.shape[0] % 7 === 1 ? 1 : 2 }]), /depend/],
    ["other functions of the length", (x) => mul(x, Math.sqrt(x.shape[0])), /a number that Mul takes depends on them/],
    [
      "branches of the program",
      (x) => (x.shape[0] > 1010 ? neg(x) : relu(x)),
      /what is computed depends on them, from/,
    ],
  ])("%s", (_, f, message) => {
    expect(() => toOnnx(f, spec("N"))).toThrow(UnsupportedError);
    expect(() => toOnnx(f, spec("N"))).toThrow(message);
    expect(() => toOnnx(f, spec("N"))).toThrow(/^toOnnx: the extents N cannot be left open: .*; give numbers instead/);
  });
  it("names that are none, or too many", () => {
    expect(() => toOnnx((x: Tensor) => sort(x), spec("batch size"))).toThrow(ValueError);
    expect(() => toOnnx((x: Tensor) => neg(x), spec("A", "B", "C", "D"))).toThrow(/are 4 names; 3 extents can be open/);
  });
});

describe("formulas", () => {
  const found = (f: (...extents: number[]) => number, ...names: string[]) => {
    const formula = formulaOf(
      samples(names.length).map((extents) => f(...extents)),
      names.length,
    );
    return formula && textOf(formula, names);
  };
  it("are found from samples", () => {
    expect(found(() => 7, "N")).toBe("7");
    expect(found((n) => n, "N")).toBe("N");
    expect(found((n) => 3 * n - 2, "N")).toBe("3*N-2");
    expect(found((n, l) => n * l * l + 4 * l, "N", "L")).toBe("N*L*L+4*L");
    expect(found((a, b, c) => 2 * a * b * c, "A", "B", "C")).toBe("2*A*B*C");
  });
  it("are not made up", () => {
    expect(found((n) => n ** 3, "N")).toBeUndefined();
    expect(found((n) => Math.floor(n / 2), "N")).toBeUndefined();
    expect(found((n) => Math.sqrt(n), "N")).toBeUndefined();
  });
});
