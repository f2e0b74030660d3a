import { ShapeError, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type Activation, activation, type LipschitzOptions, lipschitzBound, type Network } from "../src/index.js";
import { checkNetwork } from "../src/network.js";

const maxmin = activation("maxmin");
const I = [
  [1, 0],
  [0, 1],
];
const two = [{ weight: I }, { weight: I }];
const network = (activationOf: unknown, layers = two) => ({ layers, activation: activationOf }) as Network;

describe("networks that are none are refused", () => {
  it.each<[string, Network, new (message: string) => Error, RegExp]>([
    ["a width that groups do not divide", network({ kind: "groupsort", groupSize: 3 }), ValueError, /not divisible/],
    ["groups of size 0", network({ kind: "groupsort", groupSize: 0 }), ValueError, /not divisible/],
    ["a vector that is no unit vector", network({ kind: "householder", v: [1, 1] }), ValueError, /unit vector/],
    ["an empty vector", network({ kind: "householder", v: [] }), ValueError, /unit vector/],
    ["too few vectors", network({ kind: "householder", v: [[1]] }), ValueError, /do not cover/],
    ["slopes out of order", network({ kind: "slope", alpha: 1, beta: 0 }), ValueError, /alpha <= beta/],
    ["an infinite slope", network({ kind: "slope", alpha: 0, beta: Infinity }), ValueError, /finite/],
    ["an unknown kind of activation", network({ kind: "swoosh" }), ValueError, /swoosh/],
    [
      "layers that do not fit",
      network(maxmin, [{ weight: I }, { weight: [[1, 2, 3] as never] }]),
      ShapeError,
      /layer 2 takes 3/,
    ],
    [
      "weights that are not finite",
      network(maxmin, [
        {
          weight: [
            [Number.NaN, 1],
            [0, 1],
          ],
        },
        { weight: I },
      ]),
      ValueError,
      /not finite/,
    ],
    ["an empty network", network(maxmin, []), ValueError, /empty/],
    ["a vector for a weight", network(maxmin, [{ weight: [1, 2] as never }]), ShapeError, /must be a matrix/],
    [
      "a bias of another size",
      { layers: [{ weight: I, bias: [1] }], activation: maxmin },
      ShapeError,
      /bias of layer 1/,
    ],
    ["a wrong number of activations", network([maxmin, maxmin]), ValueError, /2 activations for 1/],
    [
      "an implicit network with W not square",
      { kind: "implicit", W: [[1, 0]], U: [[1]], C: [[1, 1]], activation: maxmin },
      ShapeError,
      /square/,
    ],
    [
      "an implicit network whose U does not fit",
      { kind: "implicit", W: I, U: [[1]], C: I, activation: maxmin },
      ShapeError,
      /U needs 2 rows/,
    ],
    ["no residual blocks", { kind: "residual", blocks: [], activation: maxmin }, ValueError, /blocks is empty/],
    [
      "a residual block that does not fit",
      { kind: "residual", blocks: [{ G: I, H: [[1, 0]] }], activation: maxmin },
      ShapeError,
      /block 1/,
    ],
    ["an unknown kind", { kind: "recurrent" } as never, ValueError, /recurrent/],
  ])("%s", async (_, bad, type, message) => {
    await expect(lipschitzBound(bad)).rejects.toThrow(type);
    await expect(lipschitzBound(bad)).rejects.toThrow(message);
  });

  it.each<[string, LipschitzOptions, new (message: string) => Error]>([
    ["norm", { norm: "l3" as never }, ValueError],
    ["multipliers", { multipliers: "some" as never }, ValueError],
    ["form", { form: "round" as never }, ValueError],
    ["an output that is not there", { outputs: [2] }, ValueError],
    ["no outputs", { outputs: [] }, ValueError],
    ["a chain with P", { form: "chain", multipliers: "full" }, UnsupportedError],
    ["a chordal form of eliminated", { form: "chordal", multipliers: "eliminated" }, UnsupportedError],
    ["parts of size 0", { splitSize: 0 }, ValueError],
    ["parts in linf", { splitSize: 1, norm: "linf-l1" }, UnsupportedError],
  ])("option: %s", async (_, options, type) => {
    await expect(lipschitzBound(network(maxmin), options)).rejects.toThrow(type);
  });

  it("unknown names of activations", () => {
    expect(() => activation("swoosh")).toThrow(/"swoosh" is not known; take one of maxmin/);
    expect(() => activation("toString")).toThrow(ValueError);
    const known: Activation = activation("tanh");
    expect(known).toEqual({ kind: "slope", alpha: 0, beta: 1, name: "tanh" });
    const unknown = { kind: "slope", alpha: 0, beta: 1, name: "swoosh" } as const;
    expect(() => checkNetwork(network(unknown))).toThrow(/"swoosh" is not known/);
  });
});
