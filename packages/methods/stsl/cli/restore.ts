import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import {
  defineCommand,
  deviceOptions,
  eachFile,
  Failure,
  filesOf,
  type LongRun,
  option,
  pictureEndings,
  seedOption,
  stateOptions,
} from "@offprint/commands";
import { readImage, writePng } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import {
  peakSignalToNoise,
  type SamplerRecord,
  type SamplerState,
  structuralSimilarity,
  withGuidance,
} from "@offprint/diffusion";
import { loadPipeline, type NetworkCondition, requireImageExtents } from "@offprint/diffusion/pipeline";
import { modelFolder } from "@offprint/language/node";
import type { Tensor } from "@offprint/tensor-core";
import { type LatentModel, ldps, type Measurement, p2l, type RestoreOptions, stsl } from "../src/index.js";
import { checkOperator, measured, operatorOptions } from "./operator.js";
import { pipelineModel } from "./pipeline-model.js";

const picture = async (path: string): Promise<Tensor> => {
  const image = await loadFile(path, (bytes) => readImage(bytes, { layout: "CHW", channels: 3 }));
  return image.cast("float64").reshape([1, ...image.shape]);
};

interface Settings {
  readonly method: "stsl" | "ldps" | "projection";
  readonly corrections: number | undefined;
  readonly stepSize: number | undefined;
  readonly traceWeight: number | undefined;
}

/** @throws Failure for an option of another method, and for the weight of a prompt that is not there. */
function checkMethod(
  words: Settings & { readonly guidance?: number | undefined; readonly prompt?: string | undefined },
): void {
  const { method, corrections, stepSize, traceWeight, guidance, prompt } = words;
  const second = corrections !== undefined || traceWeight !== undefined;
  if (second && method !== "stsl") throw new Failure("--corrections and --trace-weight are of --method stsl");
  if (stepSize !== undefined && method === "projection") throw new Failure("--step-size is not of --method projection");
  if (guidance !== undefined && prompt === undefined) throw new Failure("--guidance weighs a prompt; give --prompt");
}

async function restoredBy(
  { method, corrections = 5, stepSize = 0.6, traceWeight = 0.002 }: Settings,
  model: LatentModel<NetworkCondition>,
  measurement: Measurement,
  y: Tensor,
  options: RestoreOptions<NetworkCondition>,
) {
  if (method === "stsl") return stsl(model, measurement, y, { corrections, stepSize, traceWeight, ...options });
  if (method === "ldps") return ldps(model, measurement, y, { stepSize, ...options });
  return p2l(model, measurement, y, { stepSize: 0, embeddingSteps: 0, projectEvery: 1, ...options });
}

/** `offprint restore --model sd-onnx --image damaged.png --operator inpainting --mask holes.png --output whole.png` */
export const restore = defineCommand({
  name: "restore",
  summary: "Restore a masked, small or blurred image, or a folder of them, with a diffusion model",
  options: {
    model: option.fileIn(
      "folder of a diffusion model as optimum exports it: scheduler, unet, vae_encoder, vae_decoder, text_encoder; unet_gradient and vae_decoder_gradient for all methods but projection",
      { kind: "folder", required: true, short: "m" },
    ),
    image: option.fileIn("the damaged picture (PNG, PNM), or a folder of them", {
      kind: "either",
      required: true,
      short: "i",
    }),
    ...operatorOptions,
    method: option.choice(["stsl", "ldps", "projection"], "how; projection needs no gradients of the model", {
      default: "stsl",
    }),
    steps: option.integer("levels between noise and picture", { default: 50, least: 1 }),
    corrections: option.integer("stsl: corrections at every level; default 5", { least: 1 }),
    stepSize: option.number("stsl and ldps: length of a correction; default 0.6", { least: 0 }),
    traceWeight: option.number("stsl: weight of the second order; default 0.002", { least: 0 }),
    startFraction: option.number("part of the levels that is gone through", { default: 1, above: 0, most: 1 }),
    prompt: option.text("what the picture shows, for models that read texts"),
    guidance: option.number("weight of the prompt; default 1"),
    consistency: option.flag("take over what was measured at the end, where it had no noise"),
    reference: option.fileIn(
      "the undamaged picture, to compare with (PNG, PNM); or a folder of those of the same names",
      {
        kind: "either",
      },
    ),
    output: option.fileOut("file for the restored picture (PNG); for a folder of pictures a folder", {
      kind: "either",
      short: "o",
      required: true,
      endings: [".png"],
    }),
    ...seedOption,
    ...stateOptions,
    ...deviceOptions,
  },
  async run(input) {
    const { options, report, write, loadModel, note } = input;
    const { method, steps, guidance = 1, prompt, consistency, startFraction, seed } = options;
    checkOperator(options);
    checkMethod(options);
    const files = filesOf(options.image, pictureEndings);
    const output = files.resultsIn(options.output, [".png"]);
    const pipeline = await loadPipeline(modelFolder(options.model), { loadModel });
    for (const field of pipeline.ignored) note(`scheduler_config.json: ${field} is not done here; pictures may differ`);
    try {
      const { denoiser, decodeGradient } = pipeline;
      if (method !== "projection" && (denoiser.vjp === undefined || decodeGradient === undefined)) {
        const folder = denoiser.vjp === undefined ? "unet_gradient" : "vae_decoder_gradient";
        throw new Failure(
          `${options.model} has no ${folder}/model.onnx, which ${method} needs; add it, or use --method projection`,
        );
      }
      const speaks = prompt !== undefined || pipeline.readsTexts;
      const texts = speaks ? await pipeline.encodeText([prompt ?? ""]) : undefined;
      const guided =
        texts === undefined || guidance === 1
          ? denoiser
          : withGuidance(denoiser, await pipeline.encodeText([""]), guidance);
      const model = pipelineModel(pipeline, guided);
      const levels = Math.max(1, Math.round(steps * startFraction));
      return await eachFile(input, files, {
        progress: ({ step, residual }) => ({
          fraction: step / levels,
          label: `level ${step} of ${levels}, misses by ${(residual ?? Number.NaN).toPrecision(2)}`,
        }),
        async work(name, run: LongRun<SamplerRecord, SamplerState>["options"]) {
          const path = files.pathOf(name);
          const damaged = await picture(path);
          const times = options.operator === "super-resolution" ? (options.factor ?? 4) : 1;
          const size = damaged.shape.slice(2).map((extent) => extent * times);
          requireImageExtents(times === 1 ? path : `${path}, ${times} times as large`, size, pipeline);
          const reference = await referenceOf(options.reference, name, size);
          const { measurement, y } = await measured(options, damaged.mul(2).sub(1));
          const restored = await restoredBy(options, model, measurement, y, {
            ...{ steps, startFraction, initial: "forward", consistency, seed },
            ...pipeline.grid,
            ...(texts && { condition: texts }),
            ...run,
          });
          return { ...restored, measurements: y.size, reference };
        },
        async finish(name, { x: image, calls, residual, measurements, reference }) {
          const x = image.add(1).div(2).clip(0, 1);
          report([
            ["calls of the network", calls.score],
            ["gradients of it", calls.gradient],
            ["measurements missed by, root mean square", residual[0] / Math.sqrt(measurements)],
            ...(reference === undefined
              ? []
              : ([
                  ["peak signal-to-noise ratio (dB)", peakSignalToNoise(x, reference)],
                  ["structural similarity", structuralSimilarity(x, reference)],
                ] as [string, number][])),
          ]);
          await write(output(name), writePng(x.slice([0]).cast("float32"), { layout: "CHW" }));
        },
      });
    } finally {
      await pipeline.release();
    }
  },
});

/** The undamaged picture of a file, where there is one. @throws Failure where it is missing, or of another size */
async function referenceOf(
  given: string | undefined,
  name: string,
  [height, width]: readonly number[],
): Promise<Tensor | undefined> {
  if (given === undefined) return undefined;
  const path = statSync(given).isDirectory() ? join(given, basename(name)) : given;
  if (!existsSync(path)) throw new Failure(`${path}: there is no such picture to compare with; add it`);
  const reference = await picture(path);
  const [, , rows, columns] = reference.shape;
  if (rows === height && columns === width) return reference;
  throw new Failure(
    `${path}: the picture to compare with has ${columns} x ${rows} pixels, what is restored ${width} x ${height}; give one of that size`,
  );
}
