import { readSafetensors, writeSafetensors } from "@offprint/data";
import { random, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  bspAutoEncoder,
  fitIntoUnitCube,
  intersectHalfspaces,
  iou,
  loadModel,
  loadOfficialCheckpoint,
  marchingCubes,
  meshTopology,
  meshVolume,
  readMesh,
  readObj,
  readPly,
  readStl,
  saveModel,
  saveOfficialCheckpoint,
  voxelGrid,
  voxelize,
  voxelOccupancy,
  writeGltf,
  writeMtl,
  writeObj,
  writePly,
} from "../src/index.js";
import { convexColour } from "../src/mesh-writers.js";
import { joinMeshes } from "../src/poly-mesh.js";
import { cellCentres } from "../src/used-convexes.js";
import { coarserGrid, sampleVoxels } from "../src/voxels.js";
import { fixture, type Held, read } from "./fixture.js";

function box(low: number, high: number) {
  const planes = [0, 1, 2].flatMap((axis) => {
    const unit = (s: number) => [0, 1, 2].map((i) => (i === axis ? s : 0));
    return [...unit(1), -high, ...unit(-1), low];
  });
  return intersectHalfspaces(Float64Array.from(planes));
}

const pair = joinMeshes([
  { mesh: box(-0.4, 0.1), convex: 3 },
  { mesh: box(0, 0.35), convex: 7 },
]);
const bytes = (text: string) => new TextEncoder().encode(text);

describe("mesh files", () => {
  it("come back as they were: PLY and OBJ keep every bit and the convexes", () => {
    for (const back of [readPly(bytes(writePly(pair))), readObj(writeObj(pair, "pair.mtl"))]) {
      expect([...back.vertices]).toEqual([...pair.vertices]);
      expect(back.faces).toEqual(pair.faces);
      expect([...back.convexOfFace]).toEqual([...pair.convexOfFace]);
    }
    expect(writeMtl(pair).match(/newmtl convex_(3|7)\nKd/g)?.length).toBe(2);
    expect(convexColour(3)).not.toEqual(convexColour(7));
  });

  it("are glTF: triangles of each convex with a material of its own", () => {
    const gltf = JSON.parse(writeGltf(pair));
    const data = Uint8Array.from(atob(gltf.buffers[0].uri.split(",")[1]), (c) => c.charCodeAt(0));
    expect(data.length).toBe(gltf.buffers[0].byteLength);
    expect(gltf.accessors.map((a: any) => a.count)).toEqual([16, 36, 36]);
    expect(gltf.accessors[0].max).toEqual([0.35, 0.35, 0.35].map(Math.fround));
    const indices = new Uint32Array(data.buffer, 12 * 16, 72);
    expect(Math.max(...indices.subarray(0, 36))).toBe(7);
    expect(Math.min(...indices.subarray(36))).toBe(8);
    expect(gltf.meshes[0].primitives.map((p: any) => p.material)).toEqual([0, 1]);
  });

  it("are read from binary PLY and from both kinds of STL", () => {
    const header =
      "ply\nformat binary_little_endian 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nelement face 4\nproperty list uchar int vertex_indices\nend_header\n";
    const corners = [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]; // prettier-ignore
    const faces = [
      [0, 2, 1],
      [0, 1, 3],
      [0, 3, 2],
      [1, 2, 3],
    ]; // prettier-ignore
    const body = new DataView(new ArrayBuffer(4 * 12 + 4 * 13));
    corners.flat().forEach((x, i) => {
      body.setFloat32(4 * i, x, true);
    });
    faces.forEach((face, f) => {
      body.setUint8(48 + 13 * f, 3);
      face.forEach((v, i) => {
        body.setInt32(49 + 13 * f + 4 * i, v, true);
      });
    });
    const ply = readPly(Uint8Array.from([...bytes(header), ...new Uint8Array(body.buffer)]));
    expect(meshVolume(ply)).toBeCloseTo(1 / 6, 12);
    const triangles = faces.map((face) => face.map((v) => corners[v]));
    const stl = new DataView(new ArrayBuffer(84 + 200));
    stl.setUint32(80, 4, true);
    triangles.forEach((t, i) => {
      t.flat().forEach((x, k) => {
        stl.setFloat32(84 + 50 * i + 12 + 4 * k, x, true);
      });
    });
    const text = `solid t\n${triangles.map((t) => `facet\nouter loop\n${t.map((v) => `vertex ${v.join(" ")}`).join("\n")}\nendloop\nendfacet`).join("\n")}\nendsolid t\n`;
    for (const mesh of [readStl(new Uint8Array(stl.buffer)), readStl(bytes(text)), readMesh("a.STL", bytes(text))]) {
      expect(meshTopology(mesh)).toEqual({ vertices: 4, edges: 6, faces: 4, euler: 2, closed: true });
    }
  });

  it("say where they are damaged", () => {
    expect(() => readObj("v 0 0\n")).toThrow(/line 1: "v 0 0" is no vertex/);
    expect(() => readObj("v 0 0 0\nf 1 2 3\n")).toThrow(/face 0 names vertex 1 of 1/);
    expect(() => readObj("f 1 2\n")).toThrow(/is no face/);
    expect(() => readPly(bytes("hello"))).toThrow(/no PLY header/);
    expect(() => readPly(bytes(writePly(pair).slice(0, -200)))).toThrow(/no room for 12 elements "face"/);
    expect(() => readPly(bytes("ply\nformat ascii 1.0\nelement vertex 1\nproperty quad x\nend_header\n"))).toThrow(
      /is no property/,
    );
    expect(() => readStl(new Uint8Array(90))).toThrow(/neither text nor/);
    expect(() => readStl(bytes("solid a\nvertex 1 2 3\nendsolid"))).toThrow(/cut short/);
    expect(() => readMesh("a.step", new Uint8Array(1))).toThrow(/are read from .obj/);
  });
});

describe("voxels", () => {
  it("of a mesh are the cells whose centres are inside, of overlapping convexes together", () => {
    const { cells } = voxelize(pair, 20);
    const centres = cellCentres(3, 20);
    const inside = Uint8Array.from(cells, (_, i) => {
      const p = centres.subarray(3 * i, 3 * i + 3);
      return p.every((x) => x > -0.4 && x < 0.1) || p.every((x) => x > 0 && x < 0.35) ? 1 : 0;
    });
    expect(cells).toEqual(inside);
    expect(() => voxelize({ ...pair, faces: pair.faces.slice(1) })).toThrow(/not closed/);
  });

  it("fit into the unit cube, centred", () => {
    const moved = fitIntoUnitCube({ ...pair, vertices: pair.vertices.map((x) => 10 * x + 3) }, 0.8);
    expect(Math.max(...moved.vertices)).toBeCloseTo(0.4, 12);
    expect(Math.min(...moved.vertices)).toBeCloseTo(-0.4, 12);
    expect(() => fitIntoUnitCube(pair, 2)).toThrow(/in \(0, 1\]/);
  });

  it("must be cubic, of 0 and 1", () => {
    expect(() => voxelGrid(tensor(new Int32Array(8), { shape: [2, 4] }))).toThrow(/must be a cube/);
    expect(() => voxelGrid(tensor(new Int32Array(16), { shape: [2, 2, 4] }))).toThrow(/must be a cube/);
    expect(() => voxelGrid(tensor(new Int32Array(8).fill(2), { shape: [2, 2, 2] }))).toThrow(/voxel 0 is 2/);
    expect(() => coarserGrid(voxelize(pair, 20), 3)).toThrow(/must divide/);
  });

  it("tell where points are, and coarser ones keep every part", () => {
    const grid = voxelize(pair, 20);
    const inside = voxelOccupancy(grid)(cellCentres(3, 20)) as Uint8Array;
    expect(inside).toEqual(grid.cells);
    expect([...(voxelOccupancy(grid)(Float64Array.of(0.7, 0, 0, 0.01, 0.01, 0.01)) as Uint8Array)]).toEqual([0, 1]);
    const coarse = coarserGrid(grid, 10);
    const back = voxelOccupancy(coarse)(cellCentres(3, 20)) as Uint8Array;
    expect(grid.cells.every((v, i) => v <= back[i])).toBe(true);
  });

  it("are sampled at the surface first", () => {
    const grid = voxelize(pair, 16);
    const { points, values } = sampleVoxels(grid, 900, random.rng(0));
    const cell = (i: number) => [0, 1, 2].map((a) => Math.round((points[3 * i + a] + 0.5) * 16 - 0.5));
    let near = 0;
    for (let i = 0; i < 900; i++) {
      const [a, b, c] = cell(i);
      expect(values[i]).toBe(grid.cells[(a * 16 + b) * 16 + c]);
      const around = [-1, 0, 1].flatMap((x) =>
        [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((z) => grid.cells[((a + x) * 16 + b + y) * 16 + c + z])),
      );
      if (around.some((v) => v !== values[i])) near++;
    }
    expect(near).toBe(900);
    const all = sampleVoxels(grid, 16 ** 3, random.rng(0));
    expect(new Set(Array.from({ length: 16 ** 3 }, (_, i) => all.points.subarray(3 * i, 3 * i + 3).join())).size).toBe(
      16 ** 3,
    );
  });
});

describe("marching cubes", () => {
  it("is closed and outward for any pattern of cells, also where cells touch along edges only", () => {
    const cells = random.rng(0).bernoulli([7, 7, 7], { probability: 0.5, dtype: "float32" });
    const mesh = marchingCubes(cells, 0.5);
    expect(meshTopology(mesh).closed).toBe(true);
    expect(meshVolume(mesh)).toBeGreaterThan(0);
  });

  it("finds a sphere, vertices on it", () => {
    const n = 32;
    const centres = cellCentres(3, n);
    const field = Float64Array.from(
      { length: n ** 3 },
      (_, i) => 0.3 - Math.hypot(...centres.subarray(3 * i, 3 * i + 3)),
    );
    const mesh = marchingCubes(tensor(field, { shape: [n, n, n] }), 0);
    expect(meshTopology(mesh)).toMatchObject({ euler: 2, closed: true });
    expect(Math.abs(meshVolume(mesh) / ((4 / 3) * Math.PI * 0.027) - 1)).toBeLessThan(0.01);
    for (let v = 0; v < mesh.vertices.length; v += 3) {
      expect(Math.hypot(...mesh.vertices.subarray(v, v + 3))).toBeCloseTo(0.3, 2);
    }
  });

  it("has a vertex for each pair of neighbours on different sides, also at the border", () => {
    const mesh = marchingCubes(tensor(new Float32Array(8).fill(1), { shape: [2, 2, 2] }), 0.5);
    expect(mesh.vertices.length / 3).toBe(24);
    expect(meshTopology(mesh)).toMatchObject({ euler: 2, closed: true });
    expect(() => marchingCubes(tensor([1, 2]), 0)).toThrow(/give \[nx, ny, nz\]/);
    expect(() => marchingCubes(tensor([[[Number.NaN]]]), 0)).toThrow(/must be finite/);
  });
});

describe("model files", () => {
  const network = fixture.network as { state: Record<string, Held>; voxels: string; codes: Held; planes: Held };
  const small = bspAutoEncoder({ dim: 3, resolution: 16, ef: 1, hidden: [3, 5], planes: 4, convexes: 2 });

  it("of the authors give the authors' network", () => {
    const like = small.init(random.rng(0), "float64");
    const state = Object.fromEntries(Object.entries(network.state).map(([name, held]) => [name, read(held)]));
    const file = saveOfficialCheckpoint(like, small);
    expect(() => loadOfficialCheckpoint(file, bspAutoEncoder({ ...small.options, hidden: [3, 6] }))).toThrow(
      /decoder.linear_2.bias is \[5\] in the file/,
    );
    const names = Object.keys(state).sort();
    const loaded = loadOfficialCheckpoint(fileOf(state), small);
    expect(Object.keys(readTensors(saveOfficialCheckpoint(loaded, small))).sort()).toEqual(names);
    const bits = [...network.voxels].flatMap((digit) =>
      [8, 4, 2, 1].map((bit) => (Number.parseInt(digit, 16) & bit ? 1 : 0)),
    );
    const codes = small.encode(loaded, tensor(bits, { shape: [2, 1, 16, 16, 16] }));
    expectClose(codes, network.codes, { ofLargest: 1e-5 });
    expectClose(small.primitives(loaded, codes), network.planes, { ofLargest: 1e-5 });
  });

  it("come back as they were", () => {
    const trained = { model: small, params: small.init(random.rng(3)), phase: 3 as const };
    const back = loadModel(saveModel(trained));
    expect(back.model.options).toEqual(small.options);
    expect(back.phase).toBe(3);
    expect([...(back.params.tree?.T.data() ?? [])]).toEqual([...(trained.params.tree?.T.data() ?? [])]);
    expect(() => loadModel(saveOfficialCheckpoint(trained.params, small))).toThrow(/not marked "offprint bsp-net 1"/);
    expect(() => saveOfficialCheckpoint(trained.params, bspAutoEncoder({ dim: 2 }))).toThrow(/is in 3D/);
  });
});

const fileOf = (tensors: Record<string, ReturnType<typeof read>>) => writeSafetensors(tensors);
const readTensors = (file: Uint8Array) => readSafetensors(file).tensors;

describe("figures", () => {
  it("IoU counts cells", () => {
    expect(iou([1, 1, 0, 0], [1, 0, 1, 0])).toBeCloseTo(1 / 3, 12);
    expect(iou([0, 0], [0, 0])).toBe(1);
    expect(() => iou([1], [1, 0])).toThrow(/1 and 2 cells/);
  });
});
