import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { chmod, link, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tensor, ValueError } from "@offprint/tensor-core";
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
import { filesBeside, listFolder, loadFile, removeFile, saveFile, saveFileSync } from "../src/node.js";
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

  it("that a file names are read from its own folder and those in it", async () => {
    const own = join(folder, "named");
    await mkdir(join(own, "parts"), { recursive: true });
    await writeFile(join(own, "model"), "");
    await writeFile(join(own, "..weights"), "beside");
    await writeFile(join(own, "parts", "one"), "in a part");
    const read = filesBeside(join(own, "model"));
    const text = (name: string) => Buffer.from(read(name) ?? []).toString();
    expect([text("..weights"), text("parts/one"), read("missing")]).toEqual(["beside", "in a part", undefined]);
    const refused = (message: RegExp) =>
      expect.objectContaining({ name: "ValueError", message: expect.stringMatching(message) });
    expect(() => read("parts")).toThrow(refused(/cannot read .*parts: it is no file/));
    expect(() => read("model/inside")).toThrow(refused(/cannot read/));
  });

  it("out of that folder are refused, behind links too; those of a cache, all links to one folder, are read", async () => {
    const [own, cache] = [join(folder, "own"), join(folder, "cache")];
    await mkdir(own);
    await mkdir(cache);
    await writeFile(join(own, "model"), "");
    await writeFile(join(cache, "a1"), "");
    await writeFile(join(cache, "b2"), "weights");
    await symlink(join(cache, "b2"), join(own, "linked"));
    await symlink(join(cache, "a1"), join(own, "cached"));
    const read = filesBeside(join(own, "model"));
    for (const name of ["../cache/b2", "linked", ".."]) {
      expect(() => read(name)).toThrow(
        expect.objectContaining({
          name: "ValueError",
          message: expect.stringContaining("it lies out of the folder of"),
        }),
      );
    }
    expect(read(join(cache, "b2"))).toBeUndefined();
    expect(Buffer.from(filesBeside(join(own, "cached"))("linked") ?? []).toString()).toBe("weights");
  });

  it("are not emptied by what is no content", async () => {
    const path = join(folder, "full");
    await writeFile(path, "full");
    const contents: [unknown, RegExp][] = [
      [new ArrayBuffer(8), /of the kind ArrayBuffer; give new Uint8Array\(content\)/],
      [Promise.resolve("x"), /of the kind Promise; await it/],
      [{ state: 1 }, /of the kind Object; give a Uint8Array or a text/],
      [Object.create(null), /of the kind Object/],
      [Float32Array.of(1), /of the kind Float32Array/],
      [undefined, /the content is undefined/],
    ];
    for (const [content, message] of contents) {
      const refused = expect.objectContaining({ name: "ValueError", message: expect.stringMatching(message) });
      await expect(saveFile(path, content as string)).rejects.toThrow(refused);
      expect(() => saveFileSync(path, content as string)).toThrow(refused);
      expect(await readFile(path, "utf8")).toBe("full");
    }
    await rm(path);
  });

  it("that cannot be removed are named", () => {
    expect(() => removeFile(folder)).toThrow(`removeFile: cannot remove ${folder}: it is a folder`);
  });

  it("that cannot be replaced stay, without a temporary file beside them", async () => {
    const path = join(folder, "kept");
    await writeFile(path, "kept");
    await expect(saveFile(join(path, "inside"), "x")).rejects.toThrow(expect.objectContaining({ name: "ValueError" }));
    const taken = join(folder, "taken");
    await mkdir(taken);
    await expect(saveFile(taken, "x")).rejects.toThrow(/cannot write/);
    expect(await readFile(path, "utf8")).toBe("kept");
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("keep their mode, and links that lead to them", async () => {
    const real = join(folder, "real");
    await writeFile(real, "old");
    await chmod(real, 0o600);
    await symlink("real", join(folder, "link"));
    await symlink("link", join(folder, "link to link"));
    await saveFile(join(folder, "link to link"), "new");
    expect((await lstat(join(folder, "link to link"))).isSymbolicLink()).toBe(true);
    expect((await lstat(join(folder, "link"))).isSymbolicLink()).toBe(true);
    expect(await readFile(real, "utf8")).toBe("new");
    expect((await stat(real)).mode & 0o777).toBe(0o600);
    await symlink("not there yet", join(folder, "promise"));
    await saveFile(join(folder, "promise"), "x");
    expect(await readFile(join(folder, "not there yet"), "utf8")).toBe("x");
    await symlink("round", join(folder, "round"));
    await expect(saveFile(join(folder, "round"), "x")).rejects.toThrow(/cannot write .*round: .*circle/);
  });

  it("that have two names are one file under both", async () => {
    await writeFile(join(folder, "one"), "a longer text");
    await link(join(folder, "one"), join(folder, "two"));
    saveFileSync(join(folder, "two"), "new");
    expect(await readFile(join(folder, "one"), "utf8")).toBe("new");
    expect((await stat(join(folder, "one"))).nlink).toBe(2);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it.skipIf(process.platform === "win32")("that are pipes or devices are written to and stay", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [text] = await Promise.all([readFile(pipe, "utf8"), saveFile(pipe, "through")]);
    expect(text).toBe("through");
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    for (const save of [saveFile, saveFileSync]) await save("/dev/null", "nothing");
    removeFile("/dev/null");
    expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
    await expect(saveFile("/dev/full", "x")).rejects.toThrow(/cannot write \/dev\/full: the disk is full/);
    removeFile(pipe);
    removeFile(join(folder, "never there"));
    expect((await lstat(pipe)).isFIFO()).toBe(true);
  });

  it.skipIf(process.platform !== "linux")("behind /dev/stdout get the output after what was printed", async () => {
    const caught = join(folder, "caught");
    const module = fileURLToPath(new URL("../src/node.ts", import.meta.url));
    const program = `import { saveFile, saveFileSync } from ${JSON.stringify(module)};
      await new Promise((done) => process.stdout.write("printed\\n", done));
      await saveFile("/dev/stdout", "saved\\n");
      saveFileSync("/dev/stdout", "and more\\n");`;
    const output = openSync(caught, "w");
    const hooks = new URL("../../../../tooling/typescript/register.mjs", import.meta.url).href;
    const args = ["--conditions=@offprint/source", `--import=${hooks}`, "--input-type=module", "--eval", program];
    execFileSync(process.execPath, args, { stdio: ["ignore", output, "inherit"] });
    closeSync(output);
    expect(await readFile(caught, "utf8")).toBe("printed\nsaved\nand more\n");
    expect(execFileSync(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }).toString()).toContain(
      "saved",
    );
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
    await expect(loadFile(join(folder, "absent"), readNpy)).rejects.toThrow(
      /cannot read .*absent: there is no such file/,
    );
    await expect(loadFile(folder, readNpy)).rejects.toThrow(/cannot read .*: it is a folder, a file is needed$/);
    await expect(listFolder("it", path)).rejects.toThrow(
      /^it: cannot read the folder .*bad\.npy: a part of the path is a file, a folder is needed$/,
    );
    await expect(saveFile(join(folder, "gone", "x"), "x")).rejects.toThrow(/cannot write .*x: there is no such file/);
    const missing = () => {
      throw new ValueError("there is no column y");
    };
    await expect(loadFile(path, missing)).rejects.toThrow(new ValueError(`${path}: there is no column y`));
  });
});
