import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  type BspShape,
  boxCover,
  bspAutoEncoder,
  bspDecode,
  bspShape,
  contains,
  distances,
  extractMesh,
  extractPolygons,
  fitShape,
  marchingCubes,
  shapeSamples,
  voxelize,
} from "../src/index.js";

const half = { index: 0, planes: Float64Array.of(1, 0, 0, 0) };
const shape: BspShape = { dim: 3, convexes: [half], unconnected: [] };

describe("what is no shape, or does nothing, is refused by name", () => {
  it.each([
    [{ dim: 4 }, /dim of the shape is 4; it must be one of 2, 3/],
    [{ convexes: undefined }, /the shape has no convexes; give one of bspShape or fitShape/],
    [
      { convexes: [{ ...half, planes: [1, 0, 0, 0] }] },
      /the planes of convex 0 are no half-spaces; give a Float64Array/,
    ],
    [{ convexes: [half, { ...half, planes: Float64Array.of(1, 2, 3) }] }, /convex 1 are no half-spaces/],
    [
      { convexes: [{ ...half, planes: Float64Array.of(1, 0, 0, Number.NaN) }] },
      /convex 0 hold NaN; they must be finite/,
    ],
  ])("in shapes: %o", (wrong, message) => {
    const bad = { ...shape, ...wrong } as BspShape;
    for (const use of [contains, distances]) expect(() => use(bad, new Float64Array(6))).toThrow(message);
    for (const use of [extractMesh, extractPolygons]) expect(() => use(bad)).toThrow(message);
  });

  it("in options of meshes", () => {
    expect(() => extractMesh(shape, { union: "no" as never })).toThrow(/union is "no"; it must be one of true, false/);
    expect(() => extractMesh(shape, { removeRedundant: 0 as never })).toThrow(/removeRedundant is 0/);
    expect(() => extractMesh(shape, { union: true, weld: 1e-4 })).toThrow(/weld is for the pieces/);
    for (const resolution of [1e6, 513]) {
      expect(() => extractMesh(shape, { resolution })).toThrow(
        `extractMesh: resolution is ${resolution}; it must be an integer from 1 to 512`,
      );
    }
    expect(() => extractPolygons({ dim: 2, convexes: [], unconnected: [] }, { resolution: 1e5 })).toThrow(
      /resolution is 100000; it must be an integer from 1 to 8192/,
    );
    expect(() => voxelize(extractMesh(shape), 1e6)).toThrow(/voxelize: resolution is 1000000/);
    const grid = [
      [
        [0, 1],
        [1, 0],
      ],
    ];
    expect(() => marchingCubes(grid, Number.NaN)).toThrow(/iso is NaN; it must be a finite number/);
    expect(() => marchingCubes(grid, 0.5, { spacing: 0 })).toThrow(/spacing is 0/);
    expect(() => marchingCubes(grid, 0.5, { origin: Number.NaN })).toThrow(/origin is NaN/);
    expect(() => boxCover({ resolution: 2, cells: new Uint8Array(5) })).toThrow(
      /5 cells; for a resolution of 2 give 8/,
    );
  });

  it("in models and connections", () => {
    const model = { dim: 2, resolution: 8 } as const;
    expect(() => bspAutoEncoder({ ...model, variational: "no" as never })).toThrow(/variational is "no"/);
    expect(() => bspAutoEncoder({ ...model, encoder: {} as never })).toThrow(
      /encoder.init is undefined; give a function/,
    );
    expect(() => bspShape([[1], [0], [0]], [[Number.NaN]])).toThrow(/T holds NaN; connections must be numbers/);
    const decoded = (convexMask: number[]) => bspDecode([[[0, 0]]], [[[1], [0], [0]]], [[1]], null, 1, { convexMask });
    expect(() => decoded([2])).toThrow(/convexMask holds 2; give 1 to keep a convex and 0 to switch it off/);
    const shapes = { inputs: tensor([[[0]]]), points: [[0, 0]], values: [[1]], resolution: 1 };
    expect(() => shapeSamples(shapes as never)).toThrow(/shapes: there is no option "resolution"/);
  });

  it("in what fitShape gets", async () => {
    const fitted = (options: object, target: unknown = () => [1]) => fitShape(target as never, options);
    await expect(fitted({ overlap: "no" })).rejects.toThrow(/overlap is "no"; it must be one of true, false/);
    for (const slope of [10, [10], [10, 20, 30]])
      await expect(fitted({ slope })).rejects.toThrow(/slope is no pair; give/);
    await expect(fitted({ steps: 1 }, () => undefined)).rejects.toThrow(
      /values is undefined; give an array with 1 inside/,
    );
    await expect(fitted({}, { points: [0, 0, 0], values: [1], frame: 3 })).rejects.toThrow(
      /samples: there is no option "frame"/,
    );
    await expect(fitted({}, { vertices: [0, 0, 0], faces: [], scale: 2 })).rejects.toThrow(
      /mesh: there is no option "scale"/,
    );
  });
});
