import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { readNpy, writeMatrixMarket, writeNpy } from "@offprint/data";
import { loadModel as openOnnx, toOnnx } from "@offprint/onnx-runtime";
import { random, sparse, type Tensor, tensor } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { macGrid, poissonMatrix, shippedNetwork } from "../src/index.js";

const folder = temporaryFolder("solve poisson");
const file = (name: string) => join(folder, name);
const a = poissonMatrix(macGrid([16, 16]));
writeFileSync(file("a.mtx"), writeMatrixMarket(a));
const solve = (...words: string[]) => runWords(commands, "solve-poisson", words);

it("solves a system from files, and says what conjugate gradients take", async () => {
  const b = random.rng(4).normal([256], { dtype: "float64" });
  writeFileSync(file("b.npy"), writeNpy(b));
  const { code, out } = await solve(
    file("a.mtx"),
    "--grid",
    "16,16",
    "--right",
    file("b.npy"),
    "--output",
    file("x.npy"),
  );
  expect(code).toBe(0);
  expect(out).toMatch(/conjugate gradients +\d+ iterations/);
  const x = readNpy(readFileSync(file("x.npy"))).data() as Float64Array;
  const left = sparse.multiplyVector(a, x).map((value, i) => Number(b.data()[i]) - value);
  expect(Math.hypot(...left)).toBeLessThan(1e-5 * Math.hypot(...(b.data() as Float64Array)));
});

it("has nothing to do for a right-hand side of zeros", async () => {
  writeFileSync(file("zeros.npy"), writeNpy(tensor(new Float64Array(256))));
  const { code, out } = await solve(file("a.mtx"), "--grid", "16,16", "--right", file("zeros.npy"));
  expect(code).toBe(0);
  expect(out).toMatch(/residual +0\.000e\+0\n/);
});

it("takes a matrix and a right-hand side as the authors' program stores them", async () => {
  const { indptr, indices, values } = sparse.toCsr(a);
  const words = (...numbers: number[]) => new Uint8Array(Int32Array.from(numbers).buffer);
  const heading = words(256, 256, values.length, 256, 256);
  const parts = [heading, new Uint8Array(Float32Array.from(values).buffer), words(...indptr.slice(0, 256), ...indices)];
  writeFileSync(file("a.bin"), Buffer.concat(parts));
  writeFileSync(file("b.bin"), new Uint8Array(Float64Array.of(5e-324 * 256, ...new Float64Array(256).fill(2)).buffer));
  const out = file("of-bin.npy");
  expect((await solve(file("a.bin"), "--grid", "16,16", "--right", file("b.bin"), "--output", out)).code).toBe(0);
  const left = sparse.multiplyVector(a, readNpy(readFileSync(out)).data() as Float64Array);
  for (const value of left) expect(Math.abs(value - 2)).toBeLessThan(1e-4);
});

it("takes a network of an .onnx file, and frees it", async () => {
  const { network, params } = await shippedNetwork();
  writeFileSync(
    file("net.onnx"),
    toOnnx((x: Tensor) => network.apply(params, x), { shape: [1, 1, 16, 16], dtype: "float32" }),
  );
  let freed = false;
  const loadModel = async (path: string | Uint8Array) => {
    const model = await openOnnx(path, { device: "cpu" });
    const release = async () => {
      freed = true;
      await model.release();
    };
    return { inputs: model.inputs, outputs: model.outputs, run: model.run.bind(model), release };
  };
  const settings = [file("a.mtx"), "--grid", "16,16"];
  const theirs = await runWords(commands, "solve-poisson", [...settings, "--network", file("net.onnx")], { loadModel });
  const ours = await solve(...settings);
  expect([theirs.code, ours.code, freed]).toEqual([0, 0, true]);
  // The two compute in float32 by other orders of sums.
  const iterations = (text: string) => Number(/iterations +(\d+)/.exec(text)?.[1]);
  expect(Math.abs(iterations(theirs.out) - iterations(ours.out))).toBeLessThanOrEqual(1);
});

it("says what is wrong, and answers with its exit code where it did not converge", async () => {
  expect(await solve(file("a.mtx"), "--grid", "16,8")).toMatchObject({
    code: 2,
    err: expect.stringContaining("has 128 points; the matrix has 256 rows"),
  });
  expect(await solve(file("a.mtx"), "--grid", "4,8,8")).toMatchObject({
    code: 2,
    err: expect.stringContaining("is for the plane"),
  });
  writeFileSync(file("one.npy"), writeNpy(tensor([1])));
  expect((await solve(file("a.mtx"), "--grid", "16,16", "--right", file("one.npy"))).err).toContain(
    "--right has 1 numbers; the grid has 256 points",
  );
  expect((await solve(file("a.mtx"), "--grid", "16,16", "--filters", "4")).err).toContain("--filters would do nothing");
  expect((await solve(file("a.mtx"), "--grid", "16,16", "--max-iterations", "2", "--tolerance", "1e-12")).code).toBe(1);
});

it("refuses a matrix of one triangle, and a field on another grid", async () => {
  const { rowIndices, columnIndices, values } = sparse.toCoo(a);
  const lower = Array.from(values.keys()).filter((p) => rowIndices[p] >= columnIndices[p]);
  const of = (from: ArrayLike<number>) => lower.map((p) => from[p]);
  const half = sparse.fromTriplets(256, 256, of(rowIndices), of(columnIndices), of(values));
  writeFileSync(file("half.mtx"), writeMatrixMarket(half));
  expect(await solve(file("half.mtx"), "--grid", "16,16")).toMatchObject({
    code: 2,
    err: expect.stringContaining("A differs from its transpose"),
  });
  const right = (...shape: number[]) => {
    writeFileSync(file("field.npy"), writeNpy(tensor(new Float64Array(256).fill(1), { shape })));
    return solve(file("a.mtx"), "--grid", "16,16", "--right", file("field.npy"));
  };
  for (const shape of [[256], [256, 1], [16, 16]]) expect((await right(...shape)).code).toBe(0);
  expect(await right(8, 32)).toMatchObject({ code: 2, err: expect.stringContaining("the grid's [16,16]") });
});
