import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MethodCommand } from "@offprint/claims";
import { writeNpz, writePng } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { random, reshape, type Tensor, tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const backend = await onnxRuntime({ device: "cpu", threads: 1 });

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "biper-"));
});
afterAll(() => rm(folder, { recursive: true }));

const [train, pack, classify] = commands;
const file = (name: string) => join(folder, name);

async function call(command: MethodCommand, args: Record<string, string>, given: Record<string, unknown> = {}) {
  const lines: string[] = [];
  const defaults = Object.fromEntries((command.options ?? []).map((o) => [o.name, o.default]));
  await command.run({
    arguments: args,
    options: { ...defaults, ...given } as never,
    print: (line) => lines.push(line),
    onProgress: () => {},
    signal: new AbortController().signal,
    backend: async () => backend,
  });
  return lines;
}

describe("commands", () => {
  const { inputs, targets } = digits();
  const images = (count: number) => reshape(inputs.slice([{ stop: count }]), [count, 8, 8]);

  it("train on images of a file, pack, and classify images of a file", async () => {
    const some = { inputs: images(240), targets: targets.slice([{ stop: 240 }]) };
    await writeFile(file("digits.npz"), writeNpz(some));
    const files = { save: file("net.safetensors"), pack: file("packed.safetensors") };
    const settings = { epochs: "3,1", batch: 24, omega: 60, ...files };
    const lines = await call(train, { images: file("digits.npz") }, settings);
    expect(lines[0]).toBe("240 images [1,8,8], 10 classes");
    expect(lines[1]).toMatch(/^\d+\.\d\d % of 24 held-out images right, with one bit per weight$/);
    expect(lines[2]).toBe("binary weights: 2880 bytes packed, 64512 in float32");
    const packing = await call(pack, { network: files.save, packed: file("again.safetensors") });
    expect(packing.at(-1)).toMatch(/^2880 bytes of binary weights, \d+ in all$/);
    const rows: string[] = [];
    for (const packed of [files.pack, file("again.safetensors")]) {
      const output = file("classes.csv");
      const told = await call(classify, { packed, images: file("digits.npz") }, { output });
      expect(told[1]).toMatch(/% right$/);
      expect(Number.parseFloat(told[1])).toBeGreaterThan(50);
      rows.push(await readFile(output, "utf8"));
    }
    expect(rows[0]).toBe(rows[1]);
    expect(rows[0].trim().split("\n").length).toBe(241);
  });

  it("classify pictures of a folder", async () => {
    const picture = (x: Tensor) => writePng(tensor(Uint8Array.from(x.data(), (v) => (v * 255) / 16), { shape: [8, 8], dtype: "int32" })); // biome-ignore format: one line
    await writeFile(file("0.png"), picture(images(1)));
    const [first, ...rest] = await call(classify, { packed: file("packed.safetensors"), images: folder });
    expect(first).toMatch(/^1 images in/);
    expect(rest[0]).toMatch(/^0\.png: \d$/);
  });

  it("say what is wrong", async () => {
    const npz = file("odd.npz");
    await writeFile(npz, writeNpz({ inputs: random.rng(0).normal([4, 2, 8, 8]) }));
    await expect(call(train, { images: npz })).rejects.toThrow(/has no targets/);
    await expect(call(train, { images: "digits" }, { network: "alexnet" })).rejects.toThrow(/--network is alexnet/);
    await expect(call(train, { images: "digits" }, { epochs: "a" })).rejects.toThrow(/--epochs is a/);
    await expect(call(train, { images: file("missing") })).rejects.toThrow(/cannot read/);
    await expect(call(classify, { packed: npz, images: npz })).rejects.toThrow(/safetensors/);
    await expect(call(classify, { packed: file("packed.safetensors"), images: npz })).rejects.toThrow(/2 channels; the network was trained on 1/); // biome-ignore format: one line
    await expect(call(pack, { network: file("packed.safetensors"), packed: npz })).rejects.toThrow(/not marked/);
  });
});
