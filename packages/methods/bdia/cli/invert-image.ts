import {
  defineCommand,
  deviceOptions,
  eachFile,
  filesOf,
  type LongRun,
  option,
  pictureEndings,
  stateOptions,
} from "@offprint/commands";
import { writePng, writeSafetensors } from "@offprint/data";
import { rootMeanSquareError, type SamplerRecord, type SamplerState } from "@offprint/diffusion";
import { bdiaInvert, bdiaSample } from "../src/index.js";
import { open, sourceOptions } from "./pipeline-source.js";

/** `offprint invert-image --model sd-onnx --image cat.png --prompt "a cat" --output noise.safetensors --reconstruction again.png` */
export const invertImage = defineCommand({
  name: "invert-image",
  summary: "Find the noise that belongs to an image, or to each of a folder, under a diffusion model, exactly",
  options: {
    ...sourceOptions,
    prompt: option.text("what the picture shows, for models that read texts"),
    output: option.fileOut("file for the pair of states at the top (safetensors); for a folder of pictures a folder", {
      kind: "either",
      short: "o",
      endings: [".safetensors"],
    }),
    reconstruction: option.fileOut("file for the picture sampled from them again (PNG), or a folder, likewise", {
      kind: "either",
      endings: [".png"],
    }),
    ...stateOptions,
    ...deviceOptions,
  },
  async run(input) {
    const { options, report, write, refuse } = input;
    if (options.prompt === undefined) refuse(["guidance"], "there is no --prompt to weigh");
    const files = filesOf(options.image, pictureEndings);
    const output = files.resultsIn(options.output, [".safetensors"]);
    const reconstruction = files.resultsIn(options.reconstruction, [".png"]);
    const { pipeline, denoiser, states, grid, condition } = await open(input, options.prompt !== undefined);
    try {
      const told = await condition(options.prompt);
      const { steps, gamma } = options;
      return await eachFile(input, files, {
        progress: ({ step }) => ({ fraction: step / steps, label: `level ${step} of ${steps}` }),
        async work(name, run: LongRun<SamplerRecord, SamplerState>["options"]) {
          const before = await states(files.pathOf(name));
          return { before, ...(await bdiaInvert(denoiser, before, { steps, gamma, ...grid, ...told, ...run })) };
        },
        async finish(name, { before, pair: [last, next], calls, history }) {
          const again = await bdiaSample(denoiser, last, { steps, gamma, next, ...grid, ...told });
          report([
            ["calls of the network", calls],
            ["root mean square of the noise", history.at(-1)?.rms ?? Number.NaN],
            ["error of the way back", rootMeanSquareError(again.x, before)],
          ]);
          await write(output(name), writeSafetensors({ last, before: next }));
          const images = await pipeline.decode(again.x);
          await write(reconstruction(name), writePng(images.slice([0]), { layout: "CHW" }));
        },
      });
    } finally {
      await pipeline.release();
    }
  },
});
