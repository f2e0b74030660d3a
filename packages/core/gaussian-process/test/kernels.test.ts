import {
  add,
  diagonal,
  grad,
  linalg,
  matmul,
  mul,
  random,
  relu,
  special,
  square,
  stack,
  sub,
  type Tensor,
  take,
  tensor,
  transpose,
  tree,
} from "@offprint/tensor-core";
import { expectClose, expectGradient, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type Architecture,
  additive,
  compiled,
  condition,
  gradientGradient,
  type Kernel,
  matern,
  nngp,
  ntk,
  onInputs,
  productOf,
  randomFeatures,
  scale,
  squaredExponential,
  sumOf,
  valueGradient,
} from "../src/index.js";
import { type Reference, usual } from "./reference.js";

const fixture = readFixture<Reference>(import.meta.url, "sklearn.json");
const f64 = (values: number[][]) => tensor(values, { dtype: "float64" });
const points = (n: number, d: number, seed = 1) => random.rng(seed).normal([n, d], { dtype: "float64" });
const row = (x: Tensor, i: number) => tensor((x.toArray() as number[][])[i], { dtype: "float64" });

describe("the usual kernels", () => {
  it("have the covariances of scikit-learn", () => {
    for (const [name, { matrix }] of Object.entries(fixture.cases)) {
      const kernel = usual(name, fixture.lengths);
      const X = tensor(fixture.X, { dtype: "float64" });
      expectClose(
        kernel.matrix(X, tensor(fixture.Z, { dtype: "float64" })).slice([{ start: 0, stop: 4 }]),
        matrix,
        1e-12,
      );
      expectClose(kernel.diagonal(X), new Float64Array(25).fill(1), 1e-15);
    }
  });

  it("of a point with itself are its variance, however many there are and far apart", () => {
    for (const length of [1, 1e-4]) {
      const x = mul(points(60, 20), 1 / length);
      const all = matern({ smoothness: 0.5 }).matrix(x);
      expect(diagonal(all).toArray()).toEqual(new Array(60).fill(1));
      const known = condition(matern({ smoothness: 0.5 }), x, points(60, 1).reshape([60]));
      expect(Math.max(...known.variance(x).data())).toBeLessThan(1e-14);
    }
  });

  it("of more points than differences are kept of are the same, and their gradients", () => {
    const [x, z] = [points(250, 6), points(800, 6)];
    const part = (rows: number) => [x, z].map((p) => p.slice([{ start: 0, stop: rows }])) as [Tensor, Tensor];
    const kernel = matern({ length: [1, 2, 3, 1, 2, 3] });
    const few = kernel.matrix(...part(8));
    expectClose(kernel.matrix(x, z).slice([{ stop: 8 }, { stop: 8 }]), few, 1e-15);
    const slopes = (rows: number) => {
      const [own, others] = part(rows);
      const first = (p: Tensor) =>
        kernel
          .matrix(p, others)
          .slice([{ stop: 8 }, { stop: 8 }])
          .sum();
      return grad(first)(own).slice([{ stop: 8 }]);
    };
    expectClose(slopes(250), slopes(8), 1e-12);
  });

  it("are the same from differences and, for many points, from products", () => {
    const x = points(90, 3);
    for (const kernel of [squaredExponential({ length: 0.7 }), matern({ length: [1, 2, 3] })]) {
      const all = kernel.matrix(x).toArray() as number[][];
      const part = kernel
        .matrix(x.slice([{ start: 0, stop: 5 }]), x.slice([{ start: 3, stop: 9 }]))
        .toArray() as number[][];
      for (let i = 0; i < 5; i++) for (let j = 0; j < 6; j++) expect(part[i][j]).toBeCloseTo(all[i][j + 3], 12);
    }
  });

  it("of points without end apart are 0", () => {
    for (const kernel of [
      squaredExponential(),
      ...([0.5, 1.5, 2.5] as const).map((smoothness) => matern({ smoothness })),
    ]) {
      expect(kernel.matrix(f64([[0], [1e160], [-1e200]])).toArray()).toEqual([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]);
      expect(kernel.matrix(f64([[0]]), f64([[1e100], [1e5]])).toArray()).toEqual([[0, 0]]);
    }
  });

  it("of inputs that are NaN are NaN, not those of points that coincide", () => {
    for (const kernel of [
      squaredExponential(),
      ...([0.5, 1.5, 2.5] as const).map((smoothness) => matern({ smoothness })),
    ]) {
      expect(kernel.matrix(tensor([[Number.NaN]]), tensor([[1]])).item()).toBeNaN();
    }
  });

  it("add, multiply and scale; an additive kernel sees one input after the other", () => {
    const [x, z] = [points(5, 2), points(4, 2, 2)];
    const [a, b] = [squaredExponential({ length: 0.5 }), matern({ smoothness: 1.5 })];
    expectClose(sumOf(a, b).matrix(x, z), add(a.matrix(x, z), b.matrix(x, z)));
    expectClose(productOf(a, scale(b, 3)).matrix(x, z), mul(3, mul(a.matrix(x, z), b.matrix(x, z))));
    const parts = [0, 1].map((j) => x.slice([null, { start: j, stop: j + 1 }]));
    expectClose(additive([a, b]).matrix(x), add(a.matrix(parts[0]), b.matrix(parts[1])));
    expectClose(additive([a, b]).diagonal(x), new Float64Array(5).fill(2));
    const few = additive([a]);
    expect(() => few.with(few.parameters).matrix(x)).toThrow(/1 kernels and 2 inputs/);
    expectClose(onInputs(a, [1]).matrix(x), a.matrix(parts[1]));
  });

  it("carry positive parameters as the softplus of any numbers, and take others", () => {
    const kernel = scale(sumOf(squaredExponential({ length: [0.3, 2] }), matern()), 1.7);
    expectClose(kernel.values, { variance: 1.7, kernel: [{ length: [0.3, 2] }, { length: 1 }] }, 1e-12);
    const moved = kernel.with(tree.map((leaf: Tensor) => leaf.add(1), kernel.parameters));
    expectClose(
      moved.values,
      tree.map((leaf: Tensor) => special.softplus(leaf.add(1)), kernel.parameters),
      1e-12,
    );
    expect(moved.with(kernel.parameters).matrix(points(2, 2)).toArray()).toEqual(kernel.matrix(points(2, 2)).toArray());
  });

  it("have gradients in inputs and parameters, through points that coincide", () => {
    const x = points(3, 2);
    for (const smoothness of [0.5, 1.5, 2.5] as const) {
      const kernel = scale(matern({ smoothness, length: [0.8, 1.3] }), 2);
      const { variance, kernel: inner } = kernel.parameters as { variance: Tensor; kernel: { length: Tensor } };
      expectGradient(
        (v: Tensor, raw: Tensor) => kernel.with({ variance: raw, kernel: inner }).matrix(v, points(4, 2, 2)),
        [x, variance],
        1e-6,
      );
      expectGradient((length: Tensor) => kernel.with({ variance, kernel: { length } }).matrix(x), [inner.length], 1e-6);
    }
  });

  it("have covariances of gradients as differences say, also of a point with itself", () => {
    const [x, z] = [points(2, 2), points(2, 2, 5)];
    const h = 1e-4;
    for (const kernel of [
      squaredExponential({ length: 0.8 }),
      matern({ length: [0.9, 1.4] }),
      nngp({ kind: "fullyConnected", depth: 2, activation: "erf" }),
    ]) {
      const k = (a: Tensor, b: Tensor) => kernel.matrix(a.reshape([1, 2]), b.reshape([1, 2])).item();
      const unit = (j: number) =>
        tensor(
          [0, 1].map((i) => (i === j ? h : 0)),
          { dtype: "float64" },
        );
      const first = valueGradient(kernel, x, z).toArray() as number[][][];
      const second = gradientGradient(kernel, x, z).toArray() as number[][][][];
      const [a, b] = [row(x, 1), row(z, 0)];
      for (let j = 0; j < 2; j++) {
        expect(first[1][0][j]).toBeCloseTo((k(a, add(b, unit(j))) - k(a, sub(b, unit(j)))) / (2 * h), 6);
        for (let i = 0; i < 2; i++) {
          const mixed = [1, -1].flatMap((s) =>
            [1, -1].map((t) => s * t * k(add(a, mul(s, unit(i))), add(b, mul(t, unit(j))))),
          );
          expect(second[1][i][0][j]).toBeCloseTo(mixed.reduce((u, v) => u + v, 0) / (4 * h * h), 5);
        }
      }
    }
    const own = (kernel: Kernel) => gradientGradient(kernel, x, x).toArray() as number[][][][];
    expectClose(
      own(squaredExponential({ length: 0.5 }))[0].map((r) => r[0]),
      [
        [4, 0],
        [0, 4],
      ],
      1e-10,
    );
    expectClose(
      own(matern({ length: 0.5 }))[0].map((r) => r[0]),
      [
        [20 / 3, 0],
        [0, 20 / 3],
      ],
      1e-10,
    );
  });
});

describe("kernels of infinite networks", () => {
  const [x, z] = [points(4, 3), points(5, 3, 7)];
  const every: Architecture[] = [
    { kind: "fullyConnected", depth: 3 },
    { kind: "fullyConnected", depth: 2, activation: "erf", weightVariance: 1.5, biasVariance: 0.2 },
    { kind: "residual", blocks: 2 },
    { kind: "convolutional", depth: 2, image: [3, 1, 1] },
    { kind: "convolutional", depth: 2, image: [3, 1, 1], readout: "globalAveragePool", activation: "erf" },
    { kind: "fullyConnected", depth: 1, readoutVariance: 0.7 },
    { kind: "wideResidual", blocks: 1, image: [3, 1, 1], strides: [1, 2] },
  ];

  it("are positive definite, with the diagonal that they say", () => {
    for (const architecture of every) {
      for (const kernel of [nngp(architecture), ntk(architecture)]) {
        const K = kernel.matrix(x);
        expectClose(
          kernel.diagonal(x),
          (K.toArray() as number[][]).map((r, i) => r[i]),
          1e-10,
        );
        expect(Math.min(...Array.from(linalg.eigvalsh(K).data()))).toBeGreaterThan(0);
      }
    }
  });

  it("of one hidden layer are the closed forms: arc-cosine for relu, arc-sine for erf", () => {
    const [a, b] = [row(x, 0), row(z, 0)];
    const inner = (u: Tensor, v: Tensor) => 0.01 + (2 / 3) * matmul(u, v).item();
    const [p, q, r] = [inner(a, a), inner(a, b), inner(b, b)];
    const theta = Math.acos(q / Math.sqrt(p * r));
    const relued = (Math.sqrt(p * r) * (Math.sin(theta) + (Math.PI - theta) * Math.cos(theta))) / (2 * Math.PI);
    const slopes = (Math.PI - theta) / (2 * Math.PI);
    const pair = (kernel: Kernel) => kernel.matrix(x, z).data()[0];
    expect(pair(nngp({ kind: "fullyConnected", depth: 1 }))).toBeCloseTo(0.01 + 2 * relued, 12);
    expect(pair(ntk({ kind: "fullyConnected", depth: 1 }))).toBeCloseTo(0.01 + 2 * relued + 2 * q * slopes, 12);
    const arcsine = (2 / Math.PI) * Math.asin((2 * q) / Math.sqrt((1 + 2 * p) * (1 + 2 * r)));
    expect(pair(nngp({ kind: "fullyConnected", depth: 1, activation: "erf" }))).toBeCloseTo(0.01 + 2 * arcsine, 12);
  });

  it("compiled are the same, with other parameters too", () => {
    const relued = { kind: "fullyConnected", depth: 2 } as const;
    const fast = compiled(nngp(relued));
    expectClose([fast.matrix(x, z), fast.diagonal(x)], [nngp(relued).matrix(x, z), nngp(relued).diagonal(x)], 1e-12);
    const other = nngp({ ...relued, weightVariance: 0.7 });
    expectClose(fast.with(other.parameters).matrix(x), other.matrix(x), 1e-12);
  });

  it("take any activation by quadrature", () => {
    const smooth = { kind: "fullyConnected", depth: 2, weightVariance: 0.3 } as const;
    for (const make of [nngp, ntk]) {
      const exact = make({ ...smooth, activation: "erf" }).matrix(x, z);
      const rule = make({ ...smooth, activation: { apply: special.erf, nodes: 60 } }).matrix(x, z);
      expectClose(rule, exact, 1e-7);
      const wide = { ...smooth, depth: 1, weightVariance: 0.5 };
      const usual = make({ ...wide, activation: { apply: special.erf } }).matrix(x, z);
      expectClose(usual, make({ ...wide, activation: "erf" }).matrix(x, z), 1e-5);
    }
  });

  it("take a kinked activation by quadrature as far as its values go", () => {
    const kinked = nngp({ kind: "fullyConnected", depth: 1, activation: { apply: relu, nodes: 100 } }).matrix(x, z);
    expectClose(kinked, nngp({ kind: "fullyConnected", depth: 1 }).matrix(x, z), 1e-2);
  });

  it("are what wide random networks have", () => {
    const width = 4000;
    const rng = random.rng(3);
    const hidden = matmul(x, rng.normal([3, width], { std: Math.sqrt(2 / 3), dtype: "float64" })).add(
      rng.normal([width], { std: 0.1, dtype: "float64" }),
    );
    const active = relu(hidden);
    const sampled = matmul(active, transpose(active))
      .mul(2 / width)
      .add(0.01);
    expectClose(sampled, nngp({ kind: "fullyConnected", depth: 1 }).matrix(x), { ofLargest: 0.06 });
  });

  it("of images that are one pixel are those of their channels", () => {
    for (const readout of ["flatten", "globalAveragePool"] as const) {
      const pixel = { kind: "convolutional", depth: 2, image: [1, 1, 3], filter: 1, readout } as const;
      expectClose(nngp(pixel).matrix(x, z), nngp({ kind: "fullyConnected", depth: 2 }).matrix(x, z), 1e-12);
      expectClose(ntk(pixel).matrix(x, z), ntk({ kind: "fullyConnected", depth: 2 }).matrix(x, z), 1e-12);
    }
  });

  it("with a read-out of its own have its variance there, and no bias", () => {
    const inner = {
      kind: "fullyConnected",
      depth: 2,
      activation: "erf",
      weightVariance: 1.5,
      biasVariance: 0.2,
    } as const;
    for (const make of [nngp, ntk]) {
      const usual = make(inner).matrix(x, z);
      const own = make({ ...inner, readoutVariance: 3 });
      // The tangent kernel counts the read-out's bias once, too.
      expectClose(own.matrix(x, z), usual.sub(0.2).mul(2), 1e-12);
      expect(Object.keys(own.parameters).sort()).toEqual(["biasVariance", "readoutVariance", "weightVariance"]);
    }
  });

  it("of wide residual networks on one pixel are those of their layers", () => {
    const pixel = { kind: "wideResidual", blocks: 2, strides: [1], image: [1, 1, 3], filter: 1 } as const;
    const affine = (v: Tensor) => v.mul(2).add(0.01);
    const active = (K: Tensor) => {
      const [a, b, c] = [K.data()[0], K.data()[1], K.data()[3]];
      const theta = Math.acos(b / Math.sqrt(a * c));
      const cross = (Math.sqrt(a * c) * (Math.sin(theta) + (Math.PI - theta) * Math.cos(theta))) / (2 * Math.PI);
      return tensor([a / 2, cross, cross, c / 2], { dtype: "float64" });
    };
    const main = (K: Tensor) => affine(active(affine(active(K))));
    const pair = stack([row(x, 0), row(z, 0)]);
    let K = affine(
      matmul(pair, transpose(pair))
        .reshape([4])
        .mul(1 / 3),
    );
    K = affine(K).add(main(K));
    K = K.add(main(K));
    expectClose(nngp(pixel).matrix(pair), affine(active(K)).reshape([2, 2]), 1e-12);
  });

  it("of wide residual networks see every second pixel after a stride", () => {
    const one = { kind: "wideResidual", blocks: 1, image: [4, 4, 1], filter: 1, strides: [2] } as const;
    const flat = random.rng(5).normal([1, 16], { dtype: "float64" });
    const kept = take(flat, new Int32Array([0, 2, 8, 10]), 1);
    const small = nngp({ ...one, image: [2, 2, 1], strides: [1] })
      .matrix(kept)
      .item();
    expect(nngp(one).matrix(flat).item()).toBeCloseTo(small, 12);
  });

  it("with a pooled read-out do not care where the image lies within its margin", () => {
    const image = (shift: number) => {
      const pixels = new Float64Array(49);
      for (let k = 0; k < 3; k++) pixels[(2 + shift) * 7 + 2 + k] = k + 1;
      return tensor(pixels, { dtype: "float64" }).reshape([1, 49]);
    };
    const at = (readout: "flatten" | "globalAveragePool") =>
      nngp({ kind: "convolutional", depth: 1, image: [7, 7, 1], readout });
    const [here, there] = [image(0), image(2)];
    expectClose(at("globalAveragePool").matrix(here, there), at("globalAveragePool").matrix(here), 1e-12);
    expect(at("flatten").matrix(here, there).item()).toBeLessThan(at("flatten").matrix(here).item());
  });
});

describe("random features", () => {
  it("approximate their kernel, with an error that falls like 1 / sqrt(count)", () => {
    const x = points(12, 2).mul(0.7);
    for (const kernel of [
      squaredExponential({ length: [0.8, 1.5] }),
      matern({ smoothness: 0.5 }),
      scale(matern({ smoothness: 2.5, length: 0.9 }), 1),
    ]) {
      const features = randomFeatures(kernel, 4000, 2, random.rng(1))(x);
      const error = sub(matmul(features, transpose(features)), kernel.matrix(x));
      expect(Math.max(...Array.from(error.abs().data()))).toBeLessThan(5 / Math.sqrt(4000));
      expect(Math.sqrt(square(error).mean().item())).toBeLessThan(1.5 / Math.sqrt(4000));
    }
    const added = additive([squaredExponential(), matern()]);
    const features = randomFeatures(added, 4000, 2, random.rng(2))(x);
    // Half of the features for each part.
    expect(features.shape).toEqual([12, 4000]);
    expectClose(matmul(features, transpose(features)), added.matrix(x), { absolute: 10 / Math.sqrt(2000) });
    expect(() => randomFeatures(productOf(squaredExponential()), 10, 2, random.rng(0))).toThrow(/has no spectrum/);
  });
});
