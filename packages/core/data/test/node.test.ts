import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  readImage,
  readNpy,
  readNpz,
  readSafetensors,
  writeNpy,
  writeNpz,
  writePng,
  writeSafetensors,
} from "../src/index.js";
import { loadFile, saveFile } from "../src/node.js";
import { files } from "./fixture-files.js";

describe("files on disk", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "offprint-data-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("are written whole and read back; nothing else is left", async () => {
    const path = join(folder, "a b.npz");
    await saveFile(path, "old");
    await saveFile(path, writeNpz({ x: tensor([1, 2]) }));
    expect((await loadFile(path, readNpz)).x.toArray()).toEqual([1, 2]);
    expect(await readdir(folder)).toEqual(["a b.npz"]);
  });

  it("are Buffers from a shared pool, which readers must not take for the whole memory", async () => {
    const w = tensor([[1, 2]], { dtype: "float64" });
    await saveFile(join(folder, "w.safetensors"), writeSafetensors({ w }));
    expect((await loadFile(join(folder, "w.safetensors"), readSafetensors)).tensors.w.toArray()).toEqual([[1, 2]]);
    const pooled = Buffer.from([...writeNpy(w)]);
    expect(pooled.buffer.byteLength).toBeGreaterThan(pooled.length);
    const read = readNpy(pooled);
    pooled.fill(0);
    expect(read.toArray()).toEqual([[1, 2]]);
    expect(readImage(Buffer.from(writePng([[0, 1]]))).shape).toEqual([1, 2, 1]);
    expect(readNpz(Buffer.from(writeNpz({ w }, { compress: false }))).w.toArray()).toEqual([[1, 2]]);
  });

  it("that cannot be replaced stay, without a temporary file beside them", async () => {
    const path = join(folder, "kept");
    await writeFile(path, "kept");
    await expect(saveFile(join(path, "inside"), "x")).rejects.toThrow(expect.objectContaining({ name: "ValueError" }));
    await expect(saveFile(folder, "x")).rejects.toThrow(/cannot write/);
    expect(await readFile(path, "utf8")).toBe("kept");
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith(".offprint-data"))).toEqual([]);
  });

  it("are named in errors", async () => {
    const path = join(folder, "bad.npy");
    await writeFile(path, "not numpy");
    await expect(loadFile(path, readNpy)).rejects.toThrow(
      expect.objectContaining({
        name: "FormatError",
        offset: 0,
        message: expect.stringMatching(/bad\.npy: npy: the file does not begin/),
      }),
    );
    await writeFile(path, files["bad-npy/complex"].bytes);
    await expect(loadFile(path, readNpy)).rejects.toThrow(expect.objectContaining({ name: "UnsupportedError" }));
    await expect(loadFile(join(folder, "absent"), readNpy)).rejects.toThrow(/cannot read .*absent/);
  });
});
