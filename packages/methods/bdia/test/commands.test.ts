import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { readImage, readSafetensors, writePng } from "@offprint/data";
import { tinyPipeline } from "@offprint/diffusion/testing";
import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { random } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("bdia commands");
const write = (files: Readonly<Record<string, Uint8Array>>, to: string) => {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, to, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return join(folder, to);
};
const model = write(tinyPipeline({ toOnnx, latent: false }).files, "model");
const image = join(folder, "in.png");
writeFileSync(image, writePng(random.rng(1).uniform([8, 8, 3])));
const bytes = (path: string) => new Uint8Array(readFileSync(path));

describe("commands on an exported model", () => {
  it("invert-image: the picture comes back from its noise", async () => {
    const [output, again] = [join(folder, "noise.safetensors"), join(folder, "again.png")];
    const { code, out } = await runWords(
      commands,
      "invert-image",
      [
        ...["--model", model, "--image", image, "--prompt", "ab c", "--steps", "8"],
        ...["--output", output, "--reconstruction", again],
      ],
      { loadModel },
    );
    expect(code).toBe(0);
    expect(Number((out.match(/error of the way back\s+(\S+)/) as RegExpMatchArray)[1])).toBeLessThan(1e-12);
    expect(readSafetensors(bytes(output)).tensors["last"].shape).toEqual([1, 3, 8, 8]);
    const [before, after] = [readImage(bytes(image)), readImage(bytes(again))];
    expect(Math.max(...before.sub(after).abs().data())).toBeLessThan(1e-6);
  });

  it("edit-image: another prompt, another picture; the same prompt, the same picture", async () => {
    const edit = async (target: string, name: string) => {
      const output = join(folder, name);
      const { code, out } = await runWords(
        commands,
        "edit-image",
        [
          ...["--model", model, "--image", image, "--source", "ab", "--target", target, "--steps", "6"],
          ...["--strength", "0.5", "--output", output],
        ],
        { loadModel },
      );
      expect(code).toBe(0);
      expect(out).toMatch(/calls of the network\s+5/);
      return readImage(bytes(output));
    };
    const before = readImage(bytes(image));
    expect(
      Math.max(
        ...before
          .sub(await edit("ab", "same.png"))
          .abs()
          .data(),
      ),
    ).toBeLessThan(1e-6);
    expect(
      Math.max(
        ...before
          .sub(await edit("c c", "other.png"))
          .abs()
          .data(),
      ),
    ).toBeGreaterThan(0.003);
  });

  it("says in one line what is missing", async () => {
    const { "text_encoder/model.onnx": _, ...files } = tinyPipeline({ toOnnx, latent: false }).files;
    const silent = write(files, "silent");
    const { code, err } = await runWords(
      commands,
      "edit-image",
      [...["--model", silent, "--image", image, "--source", "ab", "--target", "c", "--output", join(folder, "x.png")]],
      { loadModel },
    );
    expect(code).toBe(2);
    expect(err).toMatch(/has no text_encoder/);
  });
});
