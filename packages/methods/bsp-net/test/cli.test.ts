import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { writeNpz } from "@offprint/data";
import { random, tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import {
  bspAutoEncoder,
  extractMesh,
  intersectHalfspaces,
  meshTopology,
  meshVolume,
  readObj,
  readPly,
  saveModel,
  writeObj,
} from "../src/index.js";
import { cellCentres } from "../src/used-convexes.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bsp-net-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Given = Record<string, number | string>;

function run(input: string, given: Given, flags: readonly string[] = []) {
  const fit = { convexes: 2, planes: 8, steps: 60, ...(/points|flat/.test(input) ? {} : { points: 20_000 }) };
  const quick = { resolution: 20, ...("model" in given ? {} : fit) };
  const words = Object.entries({ ...quick, ...given }).flatMap(([name, value]) => [`--${name}`, value]);
  return runWords(commands, "mesh-shape", [join(folder, input), ...words, ...flags]);
}

async function call(input: string, given: Given, flags?: readonly string[]): Promise<{ lines: string[]; err: string }> {
  const { code, out, err } = await run(input, given, flags);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  return { lines: out.trimEnd().split("\n"), err };
}

const inBox = (x: number, y: number, z: number) =>
  Math.abs(x) < 0.3 && Math.abs(y) < 0.2 && Math.abs(z) < 0.25 ? 1 : 0;

describe("offprint mesh-shape", () => {
  it("makes a closed mesh of points, without a model", async () => {
    const points = random.rng(1).uniform([4000, 3], { low: -0.5, high: 0.5 });
    const values = (points.toArray() as number[][]).map(([x, y, z]) => inBox(x, y, z));
    await writeFile(join(folder, "points.npz"), writeNpz({ points, values: tensor(values) }));
    const output = join(folder, "shape.obj");
    const { lines } = await call("points.npz", { output });
    expect(lines[0]).toBe("points.npz: 4000 points in 3D");
    expect(lines.join("\n")).toMatch(/convexes +[12]\nvertices +\d+\nfaces +\d+$/);
    const text = await readFile(output, "utf8");
    expect(text).toContain("mtllib shape.mtl");
    expect(meshTopology(readObj(text))).toMatchObject({ closed: true });
    expect(await readFile(join(folder, "shape.mtl"), "utf8")).toContain("newmtl convex_");
  });

  it("goes on after an interruption to the same mesh", async () => {
    const points = random.rng(1).uniform([1000, 3], { low: -0.5, high: 0.5 });
    const values = (points.toArray() as number[][]).map(([x, y, z]) => inBox(x, y, z));
    await writeFile(join(folder, "few.npz"), writeNpz({ points, values: tensor(values) }));
    const words = [join(folder, "few.npz"), "--convexes", 2, "--planes", 8, "--steps", 20];
    const [whole, parts] = await runInTwo(commands, "mesh-shape", words, {
      output: join(folder, "resumed.ply"),
      state: join(folder, "state.json"),
    });
    expect(parts).toEqual(whole);
  });

  it("makes polygons of points in 2D, as a picture", async () => {
    const points = random.rng(1).uniform([3000, 2], { low: -0.5, high: 0.5 });
    const values = (points.toArray() as number[][]).map(([x, y]) => inBox(x, y, 0));
    await writeFile(join(folder, "flat.npz"), writeNpz({ points, values: tensor(values) }));
    const { lines } = await call("flat.npz", { output: join(folder, "flat.svg") });
    expect(lines.join("\n")).toMatch(/convex polygons +[12]/);
    expect(await readFile(join(folder, "flat.svg"), "utf8")).toContain("<path");
    expect((await run("flat.npz", { output: join(folder, "flat.ply") })).err).toMatch(/written as \.svg/);
    const output = join(folder, "flat.svg");
    expect((await run("flat.npz", { output, weld: 1 })).err).toMatch(/--weld would do nothing, as they are of meshes/);
    expect((await run("flat.npz", { output, points: 9 })).err).toMatch(/--points .* as the file holds its own/);
  });

  it("makes a mesh of voxels, and of a mesh, in every format", async () => {
    const cells = cellCentres(3, 16);
    const voxels = Uint8Array.from({ length: 16 ** 3 }, (_, i) =>
      inBox(cells[3 * i], cells[3 * i + 1], cells[3 * i + 2]),
    );
    const array = tensor(Int32Array.from(voxels), { shape: [1, 16, 16, 16, 1] });
    await writeFile(join(folder, "voxels.npz"), writeNpz({ voxels: array }));
    const ply = join(folder, "voxels.ply");
    expect((await call("voxels.npz", { output: ply })).lines[0]).toMatch(/16\^3 voxels, \d+ filled/);
    expect(meshTopology(readPly(new Uint8Array(await readFile(ply)))).closed).toBe(true);
    const gltf = join(folder, "again.gltf");
    expect((await call("voxels.ply", { output: gltf, seed: 1 })).lines[0]).toMatch(
      /mesh of \d+ faces, [\d.]+ x [\d.]+ x [\d.]+$/,
    );
    expect(JSON.parse(await readFile(gltf, "utf8")).asset.version).toBe("2.0");
  });

  it("gives a part back in its own units, as one watertight mesh", async () => {
    const planes = [-1, 0, 0, 10, 1, 0, 0, -70, 0, -1, 0, 0, 0, 1, 0, -50, 0, 0, -1, 0, 0, 0, 1, -30];
    const part = {
      ...intersectHalfspaces(Float64Array.from(planes), { bounds: 100 }),
      convexOfFace: new Int32Array(6),
    };
    await writeFile(join(folder, "part.obj"), writeObj(part));
    const output = join(folder, "refit.obj");
    const { lines } = await call("part.obj", { output, convexes: 2, planes: 12, steps: 400 }, ["--union"]);
    expect(lines[0]).toBe("part.obj: mesh of 6 faces, 60 x 50 x 30");
    const mesh = readObj(await readFile(output, "utf8"));
    expect(meshTopology(mesh)).toMatchObject({ closed: true, euler: 2 });
    expect(Math.abs(meshVolume(mesh) / 90_000 - 1)).toBeLessThan(0.1);
    const along = mesh.vertices.filter((_, i) => i % 3 === 0);
    expect(Math.abs(Math.max(...along) - 70) + Math.abs(Math.min(...along) - 10)).toBeLessThan(4);
  });

  it("makes meshes with a trained model", async () => {
    const model = bspAutoEncoder({ dim: 3, resolution: 8, ef: 2, hidden: [8], planes: 12, convexes: 2 });
    const drawn = model.init(random.rng(0));
    // A model that gives a box, whatever it sees: last biases are its planes.
    const rows = [
      [1, -1, 0, 0, 0, 0],
      [0, 0, 1, -1, 0, 0],
      [0, 0, 0, 0, 1, -1],
      [-0.3, -0.3, -0.2, -0.2, -0.25, -0.25],
    ];
    const bias = tensor(rows.flatMap((row) => [...row, ...row]));
    const last = drawn.primitives.length - 1;
    const primitives = drawn.primitives.map((p: any, i: number) =>
      i === last ? { weight: p.weight.mul(0), bias } : p,
    );
    const T = tensor(Array.from({ length: 12 }, (_, j) => [j < 6 ? 1 : 0, 0]));
    const params = { ...drawn, primitives, tree: { T, W: tensor([[1], [1]]) } };
    const file = join(folder, "model.safetensors");
    await writeFile(file, saveModel({ model, params, phase: 1 }));
    await writeFile(
      join(folder, "input.npz"),
      writeNpz({ voxels: tensor(new Int32Array(512).fill(1), { shape: [8, 8, 8] }) }),
    );
    const output = join(folder, "decoded.obj");
    const { lines, err } = await call("input.npz", { output, model: file });
    expect(err).toBe("Warning: 1 convexes are connected with no plane and are left out\n");
    expect(lines.slice(-3).map((line) => line.split(/ +/))).toEqual([
      ["convexes", "1"],
      ["vertices", "8"],
      ["faces", "6"],
    ]);
    await writeFile(file, saveModel({ model, params, phase: 0 }));
    expect((await call("input.npz", { output, model: file })).err).toContain("marching cubes");
    expect((await run("points.npz", { output, model: file })).err).toMatch(/its encoder sees voxels or images/);
    const idle = async (given: Given, flags: string[] = []) =>
      (await run("input.npz", { output, model: file, ...given }, flags)).err;
    expect(await idle({ steps: 9, convexes: 4 }, ["--overlap"])).toMatch(
      /--convexes, --steps, --overlap would do nothing, as with --model nothing is fitted; leave them out/,
    );
    expect(await idle({}, ["--union"])).toMatch(/--union would do nothing, as the model has no exact convexes/);
  });

  it("says what is wrong", async () => {
    await writeFile(join(folder, "other.npz"), writeNpz({ a: tensor([1]) }));
    await writeFile(join(folder, "open.obj"), "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\n");
    const output = join(folder, "wrong.obj");
    const wrong = async (input: string, given: Given = {}) => (await run(input, { output, ...given })).err;
    expect(await wrong("other.npz")).toMatch(/the file holds a; it must hold voxels/);
    expect(await wrong("missing.npz")).toMatch(/there is no such file/);
    expect(await wrong("open.obj")).toMatch(/the mesh is not closed/);
    expect(await wrong("points.npz", { output: "shape.step" })).toMatch(/must end in \.obj/);
    expect(await wrong("points.npz", { model: join(folder, "points.npz") })).toMatch(/points\.npz/);
    const box = { dim: 3 as const, convexes: [{ index: 0, planes: Float64Array.of(1, 0, 0, -0.2) }], unconnected: [] };
    await writeFile(join(folder, "ok.obj"), writeObj(extractMesh(box, { resolution: 8 })));
    expect(await wrong("ok.obj", { index: 3 })).toMatch(/--index 3: the file holds one shape; leave it out/);
    expect(await wrong("points.npz", { index: 3 })).toMatch(/--index 3: the file holds one shape; leave it out/);
    expect(await wrong("ok.obj", { steps: -1 })).toMatch(/--steps must be an integer of at least 1/);
  });
});
