import { type Activation, activation, perceptron } from "@offprint/networks";
import { linalg, matmul, mul, random, UnsupportedError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { deterministicLayers, deterministicWeights } from "../claims/method.js";
import {
  type Certificate,
  enumerationBound,
  type LipschitzOptions,
  lipschitzBound,
  type Network,
  productBound,
  residualReluBound,
  verifyCertificate,
} from "../src/index.js";
import { deepEquilibrium, negativeTranspose, randomLayers } from "./deterministic-nets.js";

const maxmin = activation("maxmin");
const relu = activation("relu");
const value = async (network: Network, options: LipschitzOptions = {}) =>
  (await lipschitzBound(network, options)).value;

describe("the sheet's networks", () => {
  it.each([
    { dims: [6, 8, 4], fgl: 0.720845, eliminated: 0.720845, diag: 0.734779, product: 0.909183 },
    { dims: [5, 8, 8, 3], fgl: 0.727072, eliminated: 0.730568, diag: 0.819735, product: 1.26477 },
    { dims: [4, 6, 6, 6, 2], fgl: 0.520762, eliminated: 0.545207, diag: 0.560659, product: 0.820984 },
  ])("MaxMin $dims", async ({ dims, fgl, eliminated, diag, product }) => {
    const network = perceptron(deterministicLayers(dims), maxmin);
    expect(productBound(network)).toBeCloseTo(product, 5);
    expect(enumerationBound(network)).toBeCloseTo(fgl, 5);
    expect(await value(network, { multipliers: "diag" })).toBeCloseTo(diag, 4);
    expect(await value(network, { multipliers: "eliminated" })).toBeCloseTo(eliminated, 4);
  });

  it.each<[string, Activation, number, number, number]>([
    ["GroupSort of 4", { kind: "groupsort", groupSize: 4 }, 0.808741, 0.840305, 0.86135],
    ["Householder (0.6, 0.8)", { kind: "householder", v: [0.6, 0.8] }, 0.731765, 0.732185, 0.765133],
    ["ReLU", relu, 0.681268, 0.681268, 0.681268],
  ])("%s", async (_, act, fgl, eliminated, diag) => {
    const network = perceptron(deterministicLayers([6, 8, 4]), act) as Network;
    expect(enumerationBound(network)).toBeCloseTo(fgl, 5);
    expect(await value(network, { multipliers: "eliminated" })).toBeCloseTo(eliminated, 4);
    expect(await value(network, { multipliers: "diag" })).toBeCloseTo(diag, 4);
  });

  it.each<[readonly number[] | undefined, number, number, number, number]>([
    [[0], 1.307032, 1.436661, 1.482349, 3.829794],
    [undefined, 2.532824, 2.95494, 3.335613, 7.723256],
  ])("linf to l1, outputs %s", async (outputs, fgl, eliminated, diag, product) => {
    const all = deterministicLayers([6, 8, 4]);
    const last = outputs === undefined ? all[1].weight : outputs.map((row) => all[1].weight[row]);
    const selected = perceptron([all[0], { weight: last }], maxmin);
    const whole = perceptron(all, maxmin);
    expect(enumerationBound(selected, { norm: "linf-l1" })).toBeCloseTo(fgl, 5);
    expect(productBound(selected, "linf-l1")).toBeCloseTo(product, 5);
    for (const [multipliers, expected] of [["eliminated", eliminated] as const, ["diag", diag] as const]) {
      const bound = await value(whole, { norm: "linf-l1", multipliers, outputs });
      expect(bound).toBeCloseTo(expected, 4);
      // Norm equivalence from l2 is looser.
      expect(bound).toBeLessThan((await value(selected)) * Math.sqrt(6) * Math.sqrt(last.length));
    }
  });

  it("residual networks need P (or S) to gain over diag", async () => {
    const [G, H] = deterministicWeights([6, 8, 6]);
    const plain: Network = { kind: "residual", blocks: [{ G, H }], activation: maxmin };
    expect(productBound(plain)).toBeCloseTo(2.011516, 5);
    expect(await value(plain, { multipliers: "diag" })).toBeCloseTo(1.710818, 4);
    expect(await value(plain, { multipliers: "full" })).toBeCloseTo(1.645084, 3);
    expect(await value(plain, { multipliers: "eliminated" })).toBeCloseTo(1.645084, 4);
    const monotone: Network = { kind: "residual", blocks: [{ G, H: negativeTranspose(G) }], activation: maxmin };
    expect(productBound(monotone)).toBeCloseTo(2.215833, 5);
    expect(await value(monotone, { multipliers: "diag" })).toBeCloseTo(2.215833, 4);
    expect(await value(monotone, { multipliers: "full" })).toBeCloseTo(2.133883, 3);
    expect(await value(monotone, { multipliers: "eliminated" })).toBeCloseTo(2.133883, 4);
  });

  it("a residual network whose input is carried past the layer by identities has the same bound", async () => {
    const [G, H] = deterministicWeights([6, 8, 6]);
    const unit = G[0].map((_, i) => G[0].map((_, j) => (i === j ? 1 : 0)));
    const parts = [
      { activation: { kind: "scalar", name: "relu" }, count: 8 },
      { activation: { kind: "scalar", name: "identity" }, count: 6 },
    ] as const;
    const carried = perceptron([{ weight: [...G, ...unit] }, { weight: H.map((row, i) => [...row, ...unit[i]]) }], {
      kind: "mixed",
      parts,
    });
    const residual: Network = { kind: "residual", blocks: [{ G, H }], activation: relu };
    expect(await value(carried)).toBeCloseTo(await value(residual), 5);
  });

  it("a deep equilibrium model", async () => {
    const network = deepEquilibrium();
    expect(enumerationBound(network)).toBeCloseTo(1.340793, 5);
    expect(productBound(network)).toBeCloseTo(2.45844, 5);
    expect(await value(network, { multipliers: "diag" })).toBeCloseTo(1.374945, 4);
    expect(await value(network, { multipliers: "full" })).toBeCloseTo(1.340793, 3);
    const result = await lipschitzBound(network);
    expect(result.value).toBeCloseTo(1.340793, 4);
    expect(result.wellPosed).toBe("yes");
  });
});

describe("random implicit networks", () => {
  it("are bounded by the programme, by far less than the product of norms", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const rng = random.rng(seed);
      const draw = (rows: number, columns: number) => rng.normal([rows, columns], { dtype: "float64" });
      const W = draw(6, 6);
      const largest = linalg.svdvals(W).data()[0];
      const network: Network = {
        kind: "implicit",
        W: mul(W, (seed % 2 ? 0.6 : 0.9) / Number(largest)),
        U: draw(6, 4),
        C: draw(3, 6),
        activation: activation("relu"),
      };
      const { status, source, objective, value: bound } = await lipschitzBound(network);
      expect([status, source, Number.isFinite(objective)]).toEqual(["converged", "programme", true]);
      expect(bound).toBeLessThan(0.7 * productBound(network));
    }
  });
});

describe("forms of one programme agree", () => {
  it("the chain and the dense inequality with S = P = 0", async () => {
    for (const [dims, act] of [
      [[5, 6, 6, 3], maxmin],
      [[4, 8, 6, 2], { kind: "householder", v: [0.6, 0.8] } as const],
    ] as const) {
      const network = perceptron(randomLayers(dims, 5), act);
      for (const norm of ["l2", "linf-l1"] as const) {
        const chain = await lipschitzBound(network, { norm, multipliers: "diag", form: "chain" });
        const dense = await lipschitzBound(network, { norm, multipliers: "diag", form: "dense" });
        expect(Math.abs(chain.objective / dense.objective - 1)).toBeLessThan(1e-4);
      }
    }
  });

  it("the chordal and the dense inequality, for ReLU, leaky and mixed activations and free P", async () => {
    const leaky = { kind: "slope", alpha: 0.2, beta: 1 } as const;
    const cases: [Network, LipschitzOptions][] = [
      [perceptron(randomLayers([4, 6, 6, 5, 3], 1), relu), {}],
      [perceptron(randomLayers([4, 6, 6, 3], 2), leaky), {}],
      [perceptron(randomLayers([4, 6, 6, 3], 3), [maxmin, relu]), {}],
      [perceptron(randomLayers([4, 6, 6, 3], 2), relu), { norm: "linf-l1" }],
      [perceptron(randomLayers([4, 6, 6, 3], 2), relu), { sharing: "layer" }],
    ];
    for (const [network, options] of cases) {
      const dense = await lipschitzBound(network, { ...options, multipliers: "diag", form: "dense" });
      const chordal = await lipschitzBound(network, { ...options, multipliers: "diag", form: "chordal" });
      expect(Math.abs(chordal.objective / dense.objective - 1)).toBeLessThan(1e-4);
      expect(Math.abs(chordal.value / dense.value - 1)).toBeLessThan(1e-3);
    }
  });

  it("full is not below eliminated, and MaxMin is a Householder activation", async () => {
    const network = (act: Activation) => perceptron(deterministicLayers([6, 8, 4]), act);
    const root = Math.SQRT1_2;
    const reflection = { kind: "householder", v: [-root, root] } as const;
    const eliminated = await value(network(maxmin));
    expect(await value(network(maxmin), { multipliers: "full" })).toBeGreaterThanOrEqual(eliminated - 1e-5);
    expect(await value(network(reflection))).toBeCloseTo(eliminated, 5);
    expect(await value(network(reflection), { multipliers: "diag" })).toBeCloseTo(0.734779, 4);
  });

  it("eliminated is classic LipSDP on the rewriting with one ReLU per pair", async () => {
    for (const dims of [
      [6, 8, 4],
      [5, 8, 8, 3],
    ]) {
      const network = perceptron(deterministicLayers(dims), maxmin);
      expect(
        Math.abs((await residualReluBound(network, { relusPerPair: 1 })).value - (await value(network))),
      ).toBeLessThan(1e-4);
    }
  });

  it("one multiplier per layer is between one per neuron and the product of norms", async () => {
    const network = perceptron(randomLayers([4, 6, 6, 3], 7), relu);
    const neuron = await value(network);
    const layer = await value(network, { sharing: "layer" });
    expect(layer).toBeGreaterThanOrEqual(neuron - 1e-6);
    expect(layer).toBeLessThanOrEqual(productBound(network));
  });

  it("a product of parts is between the whole and the product of norms", async () => {
    const network = perceptron(deterministicLayers([4, 6, 6, 6, 2]), maxmin);
    const whole = await value(network);
    const split = await lipschitzBound(network, { splitSize: 2 });
    expect(split.source).toBe("split");
    expect(split.certified).toBe(true);
    expect(split.value).toBeGreaterThan(whole);
    expect(split.value).toBeLessThan(productBound(network));
    expect(await value(network, { splitSize: 1 })).toBeCloseTo(productBound(network), 9);
    expect(await value(network, { splitSize: 9 })).toBeCloseTo(whole, 9);
  });

  it("is the product of norms where a layer is too wide for a programme, unless one is asked for", async () => {
    const rng = random.rng(3);
    const wide = perceptron(
      [
        { weight: rng.normal([1501, 2], { dtype: "float64" }) },
        { weight: rng.normal([1, 1501], { std: 0.02, dtype: "float64" }) },
      ],
      activation("relu"),
    );
    for (const norm of ["l2", "linf-l1"] as const) {
      const { value, source, certified, iterations, certificate } = await lipschitzBound(wide, { norm });
      expect([source, certified, iterations, certificate]).toEqual(["product", true, 0, undefined]);
      expect(value).toBe(productBound(wide, norm));
    }
    await expect(lipschitzBound(wide, { multipliers: "diag" })).rejects.toThrow(/1501 neurons/);
    await expect(lipschitzBound(wide, { form: "chordal" })).rejects.toThrow(UnsupportedError);
  });

  it("input and output maps of a residual network are folded in, which is not looser than multiplying outside", async () => {
    const [G, H] = deterministicWeights([6, 8, 6]);
    const [input] = deterministicWeights([5, 6], 0.3);
    const [output] = deterministicWeights([6, 3], 0.8);
    const blocks = [
      { G, H },
      { G: H.map((_, i) => G[i]).slice(0, 6), H: deterministicWeights([6, 6], 2.9)[0] },
    ];
    const inner = await value({ kind: "residual", blocks, activation: maxmin });
    const folded = await value({ kind: "residual", blocks, input, output, activation: maxmin });
    const outside =
      productBound(perceptron([{ weight: input }], maxmin)) * productBound(perceptron([{ weight: output }], maxmin));
    expect(folded).toBeLessThanOrEqual(inner * outside);
  });
});

describe("identities", () => {
  const rotate = (rows: number[][]) => {
    // A product of plane rotations.
    const out = rows.map((row) => [...row]);
    for (let i = 0; i + 1 < out.length; i++) {
      const [c, s] = [Math.cos(0.3 + i), Math.sin(0.3 + i)];
      const [a, b] = [out[i], out[i + 1]];
      out[i] = a.map((v, j) => c * v - s * b[j]);
      out[i + 1] = a.map((v, j) => s * v + c * b[j]);
    }
    return out;
  };

  it("scaling a layer scales the bound", async () => {
    const [first, second] = deterministicLayers([6, 8, 4]);
    const network = perceptron([first, second], maxmin);
    const scaled = perceptron([{ weight: first.weight.map((row) => row.map((v) => -30 * v)) }, second], maxmin);
    for (const norm of ["l2", "linf-l1"] as const) {
      expect((await value(scaled, { norm })) / (await value(network, { norm }))).toBeCloseTo(30, 3);
    }
  });

  it("permuting groups or rotating the output changes nothing", async () => {
    const [first, second] = deterministicLayers([6, 8, 4]);
    const before = await value(perceptron([first, second], maxmin));
    const order = [4, 5, 0, 1, 6, 7, 2, 3];
    const permuted = [
      { weight: order.map((i) => first.weight[i]) },
      { weight: second.weight.map((row) => order.map((i) => row[i])) },
    ];
    expect(await value(perceptron(permuted, maxmin))).toBeCloseTo(before, 5);
    const rotated = [first, { weight: rotate(second.weight) }];
    expect(await value(perceptron(rotated, maxmin))).toBeCloseTo(before, 5);
  });

  it("a linear network has the norm of its matrix", async () => {
    const network = perceptron(deterministicLayers([6, 4]), maxmin);
    expect(await value(network)).toBeCloseTo(productBound(network), 9);
    expect(await value(network, { norm: "linf-l1" })).toBeGreaterThanOrEqual(
      enumerationBound(network, { norm: "linf-l1" }) - 1e-9,
    );
  });

  it("linear neurons are seen exactly, in layers and in residual blocks", async () => {
    const [first, second] = deterministicLayers([6, 8, 4]);
    const product = matmul(second.weight, first.weight).toArray() as number[][];
    const norm = productBound(perceptron([{ weight: product }], maxmin));
    expect(await value(perceptron([first, second], activation("identity")))).toBeCloseTo(norm, 6);
    expect(await value(perceptron([first, second], { kind: "slope", alpha: 0.5, beta: 0.5 }))).toBeCloseTo(norm / 2, 6);
    const [G, H] = deterministicWeights([6, 8, 6]);
    const parts = [
      { activation: { kind: "scalar", name: "identity" }, count: 4 },
      { activation: { kind: "scalar", name: "relu" }, count: 4 },
    ] as const;
    const residual: Network = { kind: "residual", blocks: [{ G, H }], activation: { kind: "mixed", parts } };
    const result = await lipschitzBound(residual);
    expect(verifyCertificate(residual, result.certificate as Certificate).valid).toBe(true);
    expect(result.value).toBeCloseTo(result.objective, 4);
    expect(result.value).toBeGreaterThanOrEqual(enumerationBound(residual));
  });

  it("sorting groups of one is the identity, which eliminated sees exactly", async () => {
    const [first, second] = deterministicLayers([6, 8, 4]);
    const product = second.weight.map((row) =>
      first.weight[0].map((_, j) => row.reduce((sum, v, k) => sum + v * first.weight[k][j], 0)),
    );
    const exact = productBound(perceptron([{ weight: product }], maxmin));
    expect(await value(perceptron([first, second], { kind: "groupsort", groupSize: 1 }))).toBeCloseTo(exact, 5);
    const reflected = perceptron([first, second], { kind: "fullsort" });
    expect(await value(reflected)).toBeGreaterThan(exact - 1e-6);
  });

  it("one MaxMin layer is 1-Lipschitz, and two ReLUs per pair do not see it", async () => {
    const I = [
      [1, 0],
      [0, 1],
    ];
    const network = perceptron([{ weight: I }, { weight: I }], maxmin);
    expect(await value(network, { multipliers: "diag" })).toBeCloseTo(1, 4);
    expect((await residualReluBound(network)).value).toBeCloseTo(Math.SQRT2, 4);
    expect((await residualReluBound(network, { relusPerPair: 1 })).value).toBeCloseTo(1, 4);
  });

  it("is deterministic", async () => {
    const network = perceptron(randomLayers([5, 6, 3], 11), maxmin);
    expect(await lipschitzBound(network)).toEqual(await lipschitzBound(network));
  });
});
