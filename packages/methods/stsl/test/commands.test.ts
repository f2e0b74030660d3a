import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readImage, writePng } from "@offprint/data";
import { tinyPipeline } from "@offprint/diffusion/testing";
import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { random, tensor } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("stsl commands");
const write = (files: Readonly<Record<string, Uint8Array>>, to: string) => {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, to, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return join(folder, to);
};
const [latent, pixels] = [tinyPipeline({ toOnnx }), tinyPipeline({ toOnnx, latent: false })];
const gradients = {
  "unet_gradient/model.onnx": latent.gradient,
  "vae_decoder_gradient/model.onnx": latent.decoderGradient,
};
const models = {
  latent: write({ ...latent.files, ...gradients }, "latent"),
  pixels: write({ ...pixels.files, "unet_gradient/model.onnx": pixels.gradient }, "pixels"),
  plain: write(latent.files, "plain"),
};
const picture = (name: string, shape: number[]) => {
  const path = join(folder, name);
  writeFileSync(path, writePng(random.rng(name).uniform(shape)));
  return path;
};
const image = picture("in.png", [8, 8, 3]);
const small = picture("small.png", [2, 2, 3]);
const mask = join(folder, "mask.png");
writeFileSync(
  mask,
  writePng(
    tensor(
      Float32Array.from({ length: 64 }, (_, i) => (i % 8 < 3 ? 1 : 0)),
      { shape: [8, 8, 1] },
    ),
  ),
);
const read = (path: string) => readImage(new Uint8Array(readFileSync(path)));
const output = join(folder, "out.png");

const restore = (model: string, words: string[], to = output) =>
  runWords(commands, "restore", ["--model", model, "--prompt", "ab c", "--steps", "4", "--output", to, ...words], {
    loadModel,
  });
const ofMask = ["--image", image, "--operator", "inpainting", "--mask", mask];

describe("restore", () => {
  it("fills in what is white in the mask, and leaves the rest where it was measured without noise", async () => {
    const { code, out } = await restore(models.pixels, [
      ...ofMask,
      "--consistency",
      "--corrections",
      "2",
      "--reference",
      image,
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/calls of the network\s+16/);
    expect(out).toMatch(/peak signal-to-noise ratio/);
    const [before, after] = [read(image), read(output)];
    const gap = before.sub(after).abs();
    expect(Math.max(...gap.slice([null, { start: 3 }]).data())).toBeLessThan(0.01);
    expect(Math.max(...gap.slice([null, { stop: 3 }]).data())).toBeGreaterThan(0.1);
  });

  it("works on latents, with guidance, by every method and for every operator", async () => {
    const { code, out } = await restore(models.latent, [...ofMask, "--guidance", "2", "--method", "ldps"]);
    expect([code, /gradients of it\s+4/.test(out)]).toEqual([0, true]);
    const size = async (words: string[]) => {
      expect((await restore(models.latent, words)).code).toBe(0);
      return read(output).shape;
    };
    expect(await size(["--image", small, "--operator", "super-resolution", "--factor", "4"])).toEqual([8, 8, 3]);
    expect(await size(["--image", image, "--operator", "gaussian-blur", "--deviation", "1"])).toEqual([8, 8, 3]);
    expect(
      await size(["--image", image, "--operator", "motion-blur", "--length", "3", "--start-fraction", "0.5"]),
    ).toEqual([8, 8, 3]);
  });

  it("restores the pictures of a folder, past one that does not fit, each compared with its own", async () => {
    const bytes = new Uint8Array(readFileSync(image));
    const [damaged, clean] = [
      write({ "a.png": bytes, "b.png": new Uint8Array(readFileSync(small)), "c.png": bytes }, "damaged"),
      write({ "a.png": bytes }, "clean"),
    ];
    const words = ["--image", damaged, ...ofMask.slice(2), "--method", "projection"];
    const run = (more: string[]) => restore(models.pixels, [...words, ...more], join(folder, "restored"));
    const { code, out, err } = await run([]);
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/^b\.png is passed over: .*b\.png: 2 x 2 pixels are not what/),
    ]);
    expect(out).toMatch(/2 of 3 done/);
    expect(readdirSync(join(folder, "restored")).sort()).toEqual(["a.png", "c.png"]);
    const compared = await run(["--reference", clean]);
    expect(compared.err).toMatch(/c\.png is passed over: .*no such picture to compare with/);
    expect(compared.out.match(/structural similarity/g)).toHaveLength(1);
  });

  it("tells a model that reads texts the empty one where there is no prompt", async () => {
    const words = ["--model", models.pixels, "--steps", "4", ...ofMask, "--output", join(folder, "silent.png")];
    const { code, err } = await runWords(commands, "restore", words, { loadModel });
    expect([code, err]).toEqual([0, ""]);
    expect(read(join(folder, "silent.png")).shape).toEqual([8, 8, 3]);
  });

  it("goes on after an interruption to the same picture", async () => {
    const words = ["--model", models.pixels, "--prompt", "ab c", "--steps", "4", ...ofMask];
    const [whole, parts] = await runInTwo(commands, "restore", words, {
      ...{ output: join(folder, "resumed.png"), state: join(folder, "state.json") },
      loadModel,
    });
    expect(parts).toEqual(whole);
  });

  it("refuses options that the operator, the method or a missing prompt leaves without effect", async () => {
    const wrong = async (...words: string[]) => {
      const { code, err } = await restore(models.latent, [...ofMask, ...words]);
      expect(code).toBe(2);
      return err;
    };
    expect(await wrong("--factor", "2")).toMatch(
      /--factor is of --operator super-resolution; leave it out for inpainting/,
    );
    expect(await wrong("--step-size", "1e300")).toMatch(
      /not finite; take a smaller --step-size or --trace-weight, or look/,
    );
    expect(await wrong("--step-size", "1e300", "--method", "ldps")).toMatch(/take a smaller --step-size, or look/);
    expect(await wrong("--guidance", "1e300", "--method", "projection")).toMatch(
      /not finite; take a smaller weight of guidance, or look/,
    );
    expect(await wrong("--guidance", "-1e300")).toMatch(/take a smaller --step-size or .*weight of guidance, or look/);
    expect(await wrong("--method", "ldps", "--trace-weight", "0")).toMatch(/are of --method stsl/);
    expect(await wrong("--method", "projection", "--step-size", "1")).toMatch(
      /--step-size is not of --method projection/,
    );
    const silent = ["--model", models.pixels, ...ofMask, "--output", output, "--guidance", "2"];
    expect((await runWords(commands, "restore", silent, { loadModel })).err).toMatch(/weighs a prompt; give --prompt/);
  });

  it("says of a blur that is wider than the picture which option it follows from, given or not", async () => {
    const blurred = async (...words: string[]) =>
      (await restore(models.latent, ["--image", image, "--operator", ...words])).err;
    expect(await blurred("gaussian-blur")).toMatch(/ --deviation is 3, which reaches 9 pixels beyond an image of 8/);
    expect(await blurred("motion-blur", "--length", "20")).toMatch(/ --length is 20, which reaches 10 pixels beyond/);
  });

  it("says before it begins that the picture to compare with has another size, or that nothing was seen", async () => {
    const wrong = async (...words: string[]) => {
      const { code, err } = await restore(models.latent, words);
      expect(code).toBe(2);
      return err;
    };
    expect(await wrong(...ofMask, "--reference", small)).toMatch(
      /small\.png: .* has 2 x 2 pixels, what is restored 8 x 8/,
    );
    const enlarged = ["--image", small, "--operator", "super-resolution", "--factor", "4"];
    expect(await wrong(...enlarged, "--reference", small)).toMatch(/has 2 x 2 pixels, what is restored 8 x 8/);
    expect((await restore(models.latent, [...enlarged, "--reference", image])).code).toBe(0);
    const white = join(folder, "white.png");
    writeFileSync(white, writePng(tensor(new Float32Array(64).fill(1), { shape: [8, 8, 1] })));
    expect(await wrong(...ofMask.slice(0, 4), "--mask", white)).toMatch(/white throughout, so that nothing/);
  });

  it("without gradients: projections work, the others say in one line what is missing", async () => {
    expect((await restore(models.plain, [...ofMask, "--method", "projection"])).code).toBe(0);
    const failed = await restore(models.plain, ofMask);
    expect([failed.code, /no unet_gradient.*--method projection/.test(failed.err)]).toEqual([2, true]);
    const maskless = await restore(models.latent, ["--image", image, "--operator", "inpainting"]);
    expect([maskless.code, /needs --mask/.test(maskless.err)]).toEqual([2, true]);
    const unfit = await restore(models.latent, ["--image", small, "--operator", "inpainting", "--mask", mask]);
    expect([unfit.code, unfit.err]).toEqual([
      2,
      expect.stringMatching(/small\.png: 2 x 2 pixels are not what the model takes, 8 x 8; scale or crop the picture/),
    ]);
    const enlarged = ["--image", small, "--operator", "super-resolution", "--factor", "3"];
    expect((await restore(models.latent, enlarged)).err).toMatch(/small\.png, 3 times as large: 6 x 6 pixels are not/);
    const holes = ["--image", image, "--operator", "inpainting", "--mask", small];
    expect((await restore(models.latent, holes)).err).toMatch(
      /small\.png: the mask has 2 x 2 pixels, the picture 8 x 8/,
    );
  });

  it("names what the model's makers sample otherwise", async () => {
    const config = { beta_schedule: "scaled_linear", prediction_type: "v_prediction", clip_sample: true };
    const json = new TextEncoder().encode(JSON.stringify(config));
    const clipped = write({ ...latent.files, "scheduler/scheduler_config.json": json }, "clipped");
    const { code, err } = await restore(clipped, [...ofMask, "--method", "projection"]);
    expect([code, err]).toEqual([0, expect.stringContaining("clip_sample (predicted data are cut to a range)")]);
  });
});
