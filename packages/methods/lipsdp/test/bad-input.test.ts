import { type Activation, activation, perceptron } from "@offprint/networks";
import { ShapeError, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type LipschitzOptions, lipschitzBound, type Network } from "../src/index.js";

const maxmin = activation("maxmin");
const I = [
  [1, 0],
  [0, 1],
];
const two = [{ weight: I }, { weight: I }];
const network = (activationOf: unknown, layers = two) => perceptron(layers, activationOf as Activation);

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
      /layer 3 takes 3/,
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
    ["no network", null as never, ValueError, /network: it is null/],
    ["an empty network", { layers: [] }, ValueError, /empty/],
    ["a vector for a weight", network(maxmin, [{ weight: [1, 2] as never }]), ShapeError, /must be a matrix/],
    ["a bias of another size", perceptron([{ weight: I, bias: [1] }], []), ShapeError, /bias of layer 1/],
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
});
