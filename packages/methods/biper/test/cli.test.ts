import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
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

const file = (name: string) => join(folder, name);

type Given = Record<string, number | string>;

async function call(name: string, given: Given) {
  const { code, out, err } = await runWords(commands, name, given, { backend });
  expect([code, err]).toEqual([0, ""]);
  return out.trimEnd().split("\n");
}

describe("commands", () => {
  const { inputs, targets } = digits();
  const images = (count: number) => reshape(inputs.slice([{ stop: count }]), [count, 8, 8]);

  it("train on images of a file, pack, and classify images of a file", async () => {
    const some = { inputs: images(240), targets: targets.slice([{ stop: 240 }]) };
    await writeFile(file("digits.npz"), writeNpz(some));
    const files = { output: file("net.safetensors"), packed: file("packed.safetensors") };
    const settings = { epochs: "3,1", batchSize: 24, omega: 60, ...files };
    const lines = await call("train-binary", { images: file("digits.npz"), ...settings });
    expect(lines[0]).toBe("240 images [1,8,8], 10 classes");
    expect(lines[1]).toMatch(/^right of 24 held-out images, with one bit per weight +\d+\.\d\d %$/);
    expect(lines[2]).toMatch(/^binary weights +2880 bytes packed, 64512 in float32$/);
    const packing = await call("pack-binary", { model: files.output, output: file("again.safetensors") });
    expect(packing.at(-2)).toMatch(/^binary weights +2880 bytes, \d+ in all$/);
    const rows: string[] = [];
    for (const model of [files.packed, file("again.safetensors")]) {
      const output = file("classes.csv");
      const told = await call("classify-binary", { model, images: file("digits.npz"), output });
      expect(Number(/^right +([\d.]+) %$/.exec(told[1])?.[1])).toBeGreaterThan(50);
      rows.push(await readFile(output, "utf8"));
    }
    expect(rows[0]).toBe(rows[1]);
    expect(rows[0].trim().split("\n").length).toBe(241);
  });

  it("go on after an interruption to the same network", async () => {
    await writeFile(file("few.npz"), writeNpz({ inputs: images(60), targets: targets.slice([{ stop: 60 }]) }));
    const words = { images: file("few.npz"), epochs: "1,1", batchSize: 24, omega: 60 };
    const settings = { output: file("resumed.safetensors"), state: file("state.json"), backend };
    const [whole, parts] = await runInTwo(commands, "train-binary", words, settings);
    expect(parts).toEqual(whole);
  });

  it("classify pictures of a folder", async () => {
    const picture = (x: Tensor) => writePng(tensor(Uint8Array.from(x.data(), (v) => (v * 255) / 16), { shape: [8, 8], dtype: "int32" })); // biome-ignore format: one line
    await writeFile(file("0.png"), picture(images(1)));
    const [first, ...rest] = await call("classify-binary", { model: file("packed.safetensors"), images: folder });
    expect(first).toMatch(/^images +1$/);
    expect(rest[0]).toMatch(/^0\.png: \d$/);
  });

  it("say what is wrong", async () => {
    const npz = file("odd.npz");
    await writeFile(npz, writeNpz({ inputs: random.rng(0).normal([4, 2, 8, 8]) }));
    const wrong = async (name: string, given: Given) => (await runWords(commands, name, given)).err;
    const train = (given: Given) => wrong("train-binary", { images: "digits", ...given });
    expect(await train({ images: npz })).toMatch(/has no targets/);
    expect(await train({ network: "alexnet" })).toMatch(/--network cannot be "alexnet"/);
    expect(await train({ epochs: "a" })).toMatch(/--epochs must be an integer of at least 1, got "a"/);
    await writeFile(file("images.gif"), "GIF89a");
    expect(await train({ images: file("images.gif") })).toMatch(
      /images\.gif: the ending of its name is none of images/,
    );
    await mkdir(file("folder.npy"), { recursive: true });
    expect(await train({ images: file("folder.npy") })).toMatch(/folder\.npy: it is a folder, a file is needed/);
    expect(await train({ images: file("missing") })).toMatch(/there is no such file or folder/);
    const classify = (model: string) => wrong("classify-binary", { model, images: npz });
    expect(await classify(npz)).toMatch(/safetensors/);
    expect(await classify(file("packed.safetensors"))).toMatch(/2 channels; the network was trained on 1/);
    const packing = { model: file("packed.safetensors"), output: npz };
    expect(await wrong("pack-binary", packing)).toMatch(/not marked/);
  });
});
