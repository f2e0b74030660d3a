import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
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

  it("edit-image: all pictures of a folder, past one that is damaged, on after an interruption", async () => {
    const [pictures, output, state] = ["pictures", "edited", "state.json"].map((name) => join(folder, name));
    const named = Object.fromEntries(["a", "c"].map((name) => [`${name}.png`, bytes(image)]));
    write({ ...named, "b.png": bytes(image).slice(0, 60) }, "pictures");
    const words = [
      ...["--model", model, "--image", pictures, "--source", "ab", "--target", "c c", "--steps", "3"],
      ...["--output", output, "--state", state],
    ] as string[];
    const stopped = await runWords(commands, "edit-image", words, { loadModel, signal: AbortSignal.abort() });
    expect([stopped.code, stopped.err]).toEqual([130, expect.stringContaining("--resume goes on")]);
    const { code, out, err } = await runWords(commands, "edit-image", [...words, "--resume"], { loadModel });
    expect([code, err]).toEqual([2, expect.stringMatching(/b\.png is passed over: .*b\.png: /)]);
    expect(out).toMatch(/2 of 3 done/);
    expect(readdirSync(output!).sort()).toEqual(["a.png", "c.png"]);
    const alone = join(folder, "alone.png");
    const one = [...words.slice(0, 2), "--image", image, ...words.slice(4, 10), "--output", alone];
    expect((await runWords(commands, "edit-image", one, { loadModel })).code).toBe(0);
    expect(bytes(join(output!, "c.png"))).toEqual(bytes(alone));
  });

  it("invert-image: noises and reconstructions of a folder", async () => {
    write({ "a.png": bytes(image), "b.png": bytes(image) }, "two");
    const [noises, again] = ["noises", "again"].map((name) => join(folder, name));
    const words = ["--model", model, "--image", join(folder, "two"), "--prompt", "ab", "--steps", "4"];
    const places = ["--output", noises!, "--reconstruction", again!];
    expect((await runWords(commands, "invert-image", [...words, ...places], { loadModel })).code).toBe(0);
    expect(readdirSync(noises!).sort()).toEqual(["a.safetensors", "b.safetensors"]);
    expect(readdirSync(again!).sort()).toEqual(["a.png", "b.png"]);
  });

  it("go on after an interruption to the same noise, and to the same picture", async () => {
    const state = join(folder, "state.json");
    const given = ["--model", model, "--image", image, "--steps", "6"];
    for (const [name, words, output] of [
      ["invert-image", ["--prompt", "ab"], "resumed.safetensors"],
      ["edit-image", ["--source", "ab", "--target", "c c"], "resumed.png"],
    ] as const) {
      const settings = { output: join(folder, output), state, loadModel };
      const [whole, parts] = await runInTwo(commands, name, [...given, ...words], settings);
      expect(parts).toEqual(whole);
    }
  });

  it("invert-image tells a model that reads texts the empty one where there is no prompt", async () => {
    const words = ["--model", model, "--image", image, "--steps", "4", "--output", join(folder, "silent.safetensors")];
    const { code, out } = await runWords(commands, "invert-image", words, { loadModel });
    expect([code, out]).toEqual([0, expect.stringMatching(/calls of the network\s+4/)]);
  });

  it("invert-image refuses the weight of a prompt that is not there", async () => {
    const words = ["--model", model, "--image", image, "--steps", "2", "--guidance", "2"];
    const { code, err } = await runWords(commands, "invert-image", words, { loadModel });
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/--guidance would do nothing, as there is no --prompt to weigh/),
    ]);
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

  it("name the picture that the model does not take, and what the model's makers sample otherwise", async () => {
    const wide = join(folder, "wide.png");
    writeFileSync(wide, writePng(random.rng(2).uniform([9, 16, 3])));
    for (const latent of [false, true]) {
      const given = ["--model", write(tinyPipeline({ toOnnx, latent }).files, `model ${latent}`), "--image", wide];
      const { code, err } = await runWords(commands, "invert-image", given, { loadModel });
      expect([code, err]).toEqual([
        2,
        expect.stringMatching(
          /wide\.png: 16 x 9 pixels are not what the model takes, 8 x 8; scale or crop the picture/,
        ),
      ]);
    }
    const config = { beta_schedule: "linear", prediction_type: "epsilon", clip_sample: true, thresholding: true };
    const json = new TextEncoder().encode(JSON.stringify(config));
    const files = { ...tinyPipeline({ toOnnx, latent: false }).files, "scheduler/scheduler_config.json": json };
    const words = ["--model", write(files, "clipped"), "--image", image, "--steps", "2"];
    const { code, err } = await runWords(commands, "invert-image", words, { loadModel });
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/clip_sample .* not done here.*\n.*thresholding .* not done/),
    ]);
  });

  it("advise what can be typed where there are as many steps as levels", async () => {
    const words = ["--model", model, "--image", image, "--steps", "1000"];
    const { code, err } = await runWords(commands, "invert-image", words, { loadModel });
    expect([code, err]).toEqual([2, expect.stringContaining("where 1000 steps begin too; take fewer steps")]);
  });
});
