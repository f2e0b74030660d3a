import { defineCommand, Failure, option, stateOptions } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import type { RunState } from "@offprint/solvers";
import { greater, type Tensor } from "@offprint/tensor-core";
import {
  type AdmmState,
  blur,
  loadLpn,
  type Measurement,
  mask,
  measurement,
  type Prox,
  patchProx,
  pnpAdmm,
  proxOf,
  type ReconstructionRecord,
  regularizer,
  type SavedLpn,
} from "../src/index.js";
import { imageFile, readImages } from "./image-files.js";

const tasks = ["denoise", "deblur", "inpaint"] as const;

/** `offprint reconstruct-image --prior prior.safetensors --image photo.png --task deblur --blur 1.5 --output sharp.png` */
export const reconstructImage = defineCommand({
  name: "reconstruct-image",
  summary: "Denoise, deblur or inpaint images with a prior of learn-prior",
  options: {
    prior: option.fileIn("the prior, a file of learn-prior", { required: true, short: "p" }),
    image: option.fileIn("what was seen: PNG, PNM, NPY or IDX", { required: true, short: "i" }),
    task: option.choice(tasks, "what was done to it", { default: "denoise" }),
    blur: option.number("deblur: standard deviation of the Gaussian, in pixels", { default: 1, above: 0 }),
    mask: option.fileIn("inpaint: a picture of the same size, bright where pixels were seen"),
    rho: option.number("how strongly the prior counts; more for noisier images", { default: 0.3, above: 0 }),
    iterations: option.integer("iterations of ADMM at most", { default: 100, least: 1 }),
    output: option.fileOut("file for the result (PNG, or NPY)", { short: "o", required: true }),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, longRun }) {
    const saved = await loadFile(options.prior, loadLpn);
    const [seen, ...others] = await readImages(options.image);
    if (others.length > 0) throw new Failure(`${options.image}: give one image, or an array of them`);
    const shape = seen.shape.slice(1);
    const prox = denoiserFor(saved, shape, options.image);
    const whole = String(saved.model.shape) === String(shape);
    if (!whole)
      note("The image is larger than the prior: it is put together from patches, not exactly by a proximal operator.");
    const { iterations } = options;
    const run = await longRun<ReconstructionRecord, RunState<AdmmState, ReconstructionRecord>>({
      progress: ({ iteration, change }) => ({
        fraction: iteration / iterations,
        label: `largest change ${change.toPrecision(2)}`,
      }),
    });
    const seenThrough = await taken(options.task, shape, options.blur, options.mask);
    const result = await pnpAdmm(prox, seenThrough, seen, {
      rho: options.rho,
      maxIterations: iterations,
      tolerance: 1e-4,
      ...run.options,
    });
    await run.settle(result);
    print(`${result.status} after ${result.iterations} iterations`);
    if (whole) {
      const [before, after] = [seenThrough.adjoint(seen), result.x];
      const phi = async (x: Tensor) => (await regularizer(saved.model, saved.params, x, { tolerance: 1e-3 })).value;
      report([
        ["prior of what was seen", (await phi(before)).mean().item()],
        ["prior of the result", (await phi(after)).mean().item()],
      ]);
    }
    await write(options.output, imageFile(options.output, result.x));
  },
});

function denoiserFor({ model, params }: SavedLpn, shape: readonly number[], path: string): Prox {
  const prox = proxOf(model, params);
  if (String(model.shape) === String(shape)) return prox;
  const [channels, height, width] = model.shape;
  if (channels !== shape[0] || height !== width || height > Math.min(shape[1], shape[2])) {
    throw new Failure(
      `${path}: the image is ${shape.join(" x ")}, the prior of ${model.shape.join(" x ")}; learn one that fits`,
    );
  }
  return patchProx(prox, { shape: [shape[0], shape[1], shape[2]], patch: height });
}

async function taken(
  task: (typeof tasks)[number],
  input: readonly number[],
  sigma: number,
  maskFile: string | undefined,
): Promise<Measurement> {
  if (task === "denoise") return measurement({ input, apply: (x) => x, adjoint: (y) => y });
  if (task === "deblur") return blur({ input, sigma });
  if (maskFile === undefined)
    throw new Failure("--task inpaint needs --mask, a picture that is bright where pixels were seen");
  const [picture] = await readImages(maskFile);
  if (String(picture.shape.slice(2)) !== String(input.slice(1))) {
    throw new Failure(
      `${maskFile}: the mask is ${picture.shape.slice(2).join(" x ")}, the image ${input.slice(1).join(" x ")}`,
    );
  }
  return mask(greater(picture.mean(1), 0.5).broadcastTo([...input]));
}
