import {
  defineCommand,
  eachFile,
  Failure,
  filesOf,
  type LongRun,
  option,
  pictureEndings,
  stateOptions,
} from "@offprint/commands";
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
import { imageFile, readImages, requireRoom } from "./image-files.js";

const tasks = ["denoise", "deblur", "inpaint"] as const;

/** `offprint reconstruct-image --prior prior.safetensors --image photo.png --task deblur --blur 1.5 --output sharp.png` */
export const reconstructImage = defineCommand({
  name: "reconstruct-image",
  summary: "Denoise, deblur or inpaint images with a prior of learn-prior",
  options: {
    prior: option.fileIn("the prior, a file of learn-prior", { required: true, short: "p" }),
    image: option.fileIn("what was seen: PNG, PNM, NPY or IDX, or a folder of pictures", {
      kind: "either",
      required: true,
      short: "i",
    }),
    task: option.choice(tasks, "what was done to it", { default: "denoise" }),
    blur: option.number("deblur: standard deviation of the Gaussian, in pixels", { default: 1, above: 0 }),
    mask: option.fileIn("inpaint: a picture of the same size, bright where pixels were seen"),
    rho: option.number("how strongly the prior counts; more for noisier images", { default: 0.3, above: 0 }),
    maxIterations: option.integer("iterations of ADMM at most", { default: 100, least: 1 }),
    output: option.fileOut("file for the result (PNG, or NPY); for a folder of pictures a folder", {
      kind: "either",
      short: "o",
      required: true,
      endings: [".png", ".npy"],
    }),
    ...stateOptions,
  },
  async run(input) {
    const { options, print, report, note, write, refuse } = input;
    const { maxIterations, rho } = options;
    if (options.task !== "deblur") refuse(["blur"], `--task is ${options.task}`);
    if (options.task !== "inpaint") refuse(["mask"], `--task is ${options.task}`);
    const saved = await loadFile(options.prior, loadLpn);
    const denoiser = proxOf(saved.model, saved.params);
    const files = filesOf(options.image, pictureEndings);
    const output = files.resultsIn(options.output, [".png", ".npy"]);
    return eachFile(input, files, {
      progress: ({ iteration, change }) => ({
        fraction: iteration / maxIterations,
        label: `largest change ${change.toPrecision(2)}`,
      }),
      async work(name, run: LongRun<ReconstructionRecord, RunState<AdmmState, ReconstructionRecord>>["options"]) {
        const path = files.pathOf(name);
        const [seen, ...others] = await readImages(path);
        if (others.length > 0) throw new Failure(`${path}: give one image, or an array of them`);
        requireRoom(output(name) as string, seen.shape);
        const shape = seen.shape.slice(1);
        const prox = fitted(denoiser, saved, shape, path);
        const whole = String(saved.model.shape) === String(shape);
        if (!whole) {
          note(
            "The image is larger than the prior: it is put together from patches, not exactly by a proximal operator.",
          );
        }
        const through = await taken(options.task, shape, options.blur, options.mask);
        const settings = { rho, maxIterations, tolerance: 1e-4, ...run };
        return { ...(await pnpAdmm(prox, through, seen, settings)), before: through.adjoint(seen), whole };
      },
      async finish(name, { status, iterations: made, x, before, whole }) {
        print(`${status} after ${made} iterations`);
        if (whole) {
          const phi = async (image: Tensor) =>
            (await regularizer(saved.model, saved.params, image, { tolerance: 1e-3 })).value.mean().item();
          report([
            ["prior of what was seen", await phi(before)],
            ["prior of the result", await phi(x)],
          ]);
        }
        const path = output(name) as string;
        await write(path, imageFile(path, x));
      },
    });
  },
});

/** The prior's operator for images of a shape. */
function fitted(prox: Prox, { model }: SavedLpn, shape: readonly number[], path: string): Prox {
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
  if (picture.shape[0] > 1) throw new Failure(`${maskFile}: there are ${picture.shape[0]} images in it; give one mask`);
  if (String(picture.shape.slice(2)) !== String(input.slice(1))) {
    throw new Failure(
      `${maskFile}: the mask is ${picture.shape.slice(2).join(" x ")}, the image ${input.slice(1).join(" x ")}`,
    );
  }
  const seen = greater(picture.mean(1), 0.5);
  if (!seen.data().some((bright: number) => bright))
    throw new Failure(`${maskFile}: no pixel is bright; it must be bright where pixels were seen, of integers 255`);
  return mask(seen.broadcastTo([...input]));
}
