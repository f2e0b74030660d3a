import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readImage, readNpy, writeNpy, writePng } from "@offprint/data";
import { concatenate, random, type Tensor } from "@offprint/tensor-core";
import { f64, temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { rectangles } from "../claims/images.js";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("priors");
const rng = random.rng("commands");
const clean = rectangles(rng, 400, 6);
const file = (name: string, bytes: Uint8Array) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const images = file("images.npy", writeNpy(clean));
const few = file("few.npy", writeNpy(clean.slice([{ start: 0, stop: 20 }])));
const prior = join(folder, "prior.safetensors");
const picture = (image: Tensor) => writePng(image.reshape([...image.shape, 1]).cast("float32"));
const squares = (x: Tensor, y: Tensor) => x.sub(y).square().mean().item();

it("learns a prior from an array of images, and reconstructs a picture with it", async () => {
  const learnt = await runWords(commands, "learn-prior", {
    images,
    output: prior,
    steps: 800,
    hidden: 64,
    batchSize: 32,
    learningRate: 0.03,
  });
  expect(learnt.err).toBe("");
  expect(learnt.code).toBe(0);
  expect(learnt.out).toMatch(/400 images, prior of 1 x 6 x 6/);
  const fresh = rectangles(rng, 40, 6);
  const noisy = fresh.add(rng.normal(fresh.shape, { std: 0.1 }));
  const output = join(folder, "out.npy");
  const { code, out } = await runWords(commands, "reconstruct-image", {
    prior,
    image: file("noisy.npy", writeNpy(noisy)),
    output,
    rho: 1,
  });
  expect(code).toBe(0);
  const [before, after] = ["what was seen", "the result"].map((what) =>
    Number(new RegExp(`prior of ${what}\\s+(\\S+)`).exec(out)?.[1]),
  );
  expect(after).toBeLessThan(before);
  const result = readNpy(new Uint8Array(readFileSync(output))).reshape(fresh.shape);
  expect(squares(result, fresh)).toBeLessThan(0.6 * squares(noisy, fresh));
});

it("writes one image as a picture", async () => {
  const output = join(folder, "out.png");
  const image = file("one.png", picture(clean.slice([3])));
  expect(
    (await runWords(commands, "reconstruct-image", { prior, image, output, task: "deblur", blur: 0.7 })).code,
  ).toBe(0);
  expect(readImage(new Uint8Array(readFileSync(output))).shape).toEqual([6, 6, 1]);

  // Alpha is no part of what was seen.
  const opaque = clean.slice([3]).reshape([6, 6, 1]);
  const veil = rng.uniform([6, 6, 1], { dtype: "float64" });
  const veiled = file("veiled.png", writePng(concatenate([opaque, veil], 2).cast("float32")));
  const same = join(folder, "same.png");
  const words = { prior, image: veiled, output: same, task: "deblur", blur: 0.7 };
  expect((await runWords(commands, "reconstruct-image", words)).err).toBe("");
  expect(readFileSync(same)).toEqual(readFileSync(output));
});

it("fills in what a mask hides, and takes larger images apart into patches", async () => {
  const mask = f64(
    Array.from({ length: 36 }, (_, i) => (i % 3 === 0 ? 0 : 1)),
    [6, 6],
  );
  const seen = file("mask.png", picture(mask));
  const output = join(folder, "filled.npy");
  const filled = await runWords(commands, "reconstruct-image", {
    prior,
    image: few,
    task: "inpaint",
    mask: seen,
    output,
    maxIterations: 3,
  });
  expect(filled.code).toBe(0);
  expect(readNpy(new Uint8Array(readFileSync(output))).shape).toEqual([20, 1, 6, 6]);
  const large = file("large.npy", writeNpy(rectangles(rng, 1, 9)));
  const patched = await runWords(commands, "reconstruct-image", {
    prior,
    image: large,
    task: "deblur",
    output,
    maxIterations: 2,
  });
  expect(patched.err).toMatch(/patches/);
  expect(patched.code).toBe(0);
});

it("reconstructs the pictures of a folder, past one that is damaged", async () => {
  const [many, output] = [join(folder, "blurred"), join(folder, "sharp")];
  mkdirSync(many);
  for (const name of ["a", "c"]) writeFileSync(join(many, `${name}.png`), picture(clean.slice([5])));
  writeFileSync(join(many, "b.pgm"), "P5 6");
  const words = { prior, image: many, output, maxIterations: 2 };
  const { code, out, err } = await runWords(commands, "reconstruct-image", words);
  expect([code, err]).toEqual([2, expect.stringMatching(/^b\.pgm is passed over: .*b\.pgm: /)]);
  expect(out).toMatch(/2 of 3 done/);
  expect(readdirSync(output).sort()).toEqual(["a.png", "c.png"]);
});

it("learns on squares of pictures of different sizes", async () => {
  const many = join(folder, "pictures");
  mkdirSync(many);
  writeFileSync(join(many, "a.png"), picture(rectangles(rng, 1, 9).slice([0])));
  writeFileSync(join(many, "b.png"), picture(rectangles(rng, 1, 7).slice([0])));
  const words = { images: many, output: join(folder, "patches.safetensors"), steps: 8, network: "conv", hidden: 2 };
  expect((await runWords(commands, "learn-prior", words)).err).toMatch(/give --patch/);
  expect((await runWords(commands, "learn-prior", { ...words, patch: 8 })).err).toMatch(/only 7 pixels/);
  const { code, out } = await runWords(commands, "learn-prior", { ...words, patch: 6 });
  expect(code).toBe(0);
  expect(out).toMatch(/2 images, prior of 1 x 6 x 6/);
});

it("says in one line what is wrong", async () => {
  const wide = await runWords(commands, "learn-prior", { images, output: join(folder, "wide"), hidden: 99999 });
  expect(wide.err).toMatch(/--hidden must be an integer of at least 1 and of at most 8192, got "99999"/);
  const output = join(folder, "none.npy");
  const run = (words: object) => runWords(commands, "reconstruct-image", { prior, image: few, output, ...words });
  expect((await run({ prior: images })).code).toBe(2);
  expect((await run({ task: "inpaint" })).err).toMatch(/--mask/);
  const dark = file("dark.png", picture(f64(new Array(36).fill(0), [6, 6])));
  expect((await run({ task: "inpaint", mask: dark })).err).toMatch(/dark\.png: no pixel is bright/);
  expect((await run({ mask: dark })).err).toMatch(/--mask would do nothing, as --task is denoise/);
  expect((await run({ blur: 2 })).err).toMatch(/--blur would do nothing, as --task is denoise/);
  expect((await run({ image: file("small.npy", writeNpy(rectangles(rng, 1, 4))) })).err).toMatch(/learn one that fits/);
  const many = await run({ maxIterations: 1, output: join(folder, "none.png") });
  expect([many.code, many.out]).toEqual([2, ""]);
  expect(many.err).toMatch(/20 images of 1 channels are no picture; .*end.* in \.npy/);
  const none = file("no.npy", writeNpy(clean.slice([{ stop: 0 }])));
  const holed = file("holed.npy", writeNpy(f64([1, Number.NaN, 1, 1], [1, 2, 2])));
  const learning = { output: join(folder, "wide"), steps: 8, hidden: 2 };
  for (const given of [learning, { ...learning, patch: 2 }]) {
    expect((await runWords(commands, "learn-prior", { images: none, ...given })).err).toMatch(
      /no\.npy: .*no image in it/,
    );
    expect((await runWords(commands, "learn-prior", { images: holed, ...given })).err).toMatch(
      /holed\.npy: value 1 is NaN; pixels must be finite/,
    );
  }
  expect((await run({ task: "inpaint", mask: images })).err).toMatch(
    /images\.npy: there are 400 images in it; give one/,
  );
  const unknown = await run({ image: file("photo.jpg", new Uint8Array([255, 216, 255, 224, 0, 16])) });
  expect(unknown.err).toMatch(/photo\.jpg: it is no IDX file; give one, or a file that ends in \.png/);
  expect((await runWords(commands, "learn-prior", { images, ...learning, sigma: 1e300 })).err).toMatch(
    /--sigma must be a number above 0 and of at most 10/,
  );
  const bytes = file("bytes.npy", writeNpy(clean.mul(255).add(1)));
  for (const { err } of [
    await runWords(commands, "learn-prior", { images: bytes, ...learning }),
    await run({ image: bytes }),
  ]) {
    expect(err).toMatch(/bytes\.npy: value \d+ is \S+; images are numbers in \[0, 1\]: divide them/);
  }
  expect((await run({ image: holed })).err).toMatch(/holed\.npy: value 1 is NaN/);
});

it("goes on after an interruption to the same prior, and to the same pictures", async () => {
  const words = { images: few, steps: 8, hidden: 8, batchSize: 8 };
  const [whole, parts] = await runInTwo(commands, "learn-prior", words, {
    output: join(folder, "resumed.safetensors"),
    state: join(folder, "state.json"),
  });
  expect(parts).toEqual(whole);
  const given = { prior, image: few, rho: 1, maxIterations: 6 };
  const [result, again] = await runInTwo(commands, "reconstruct-image", given, {
    output: join(folder, "resumed.npy"),
    state: join(folder, "state.json"),
    interruptAt: 0.1,
  });
  expect(again).toEqual(result);
});
