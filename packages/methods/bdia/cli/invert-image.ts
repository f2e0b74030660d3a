import { defineCommand, deviceOptions, option, stateOptions } from "@offprint/commands";
import { writePng, writeSafetensors } from "@offprint/data";
import { rootMeanSquareError, type SamplerRecord, type SamplerState } from "@offprint/diffusion";
import { bdiaInvert, bdiaSample } from "../src/index.js";
import { open, sourceOptions } from "./pipeline-source.js";

/** `offprint invert-image --model sd-onnx --image cat.png --prompt "a cat" --output noise.safetensors --reconstruction again.png` */
export const invertImage = defineCommand({
  name: "invert-image",
  summary: "Find the noise that belongs to an image under a diffusion model, exactly",
  options: {
    ...sourceOptions,
    prompt: option.text("what the picture shows, for models that read texts"),
    output: option.fileOut("file for the pair of states at the top (safetensors)", { short: "o" }),
    reconstruction: option.fileOut("file for the picture sampled from them again (PNG)", { endings: [".png"] }),
    ...stateOptions,
    ...deviceOptions,
  },
  async run(input) {
    const { options, report, write, longRun } = input;
    const { pipeline, denoiser, states, grid, condition } = await open(input, options.prompt !== undefined);
    try {
      const told = await condition(options.prompt);
      const { steps, gamma } = options;
      const run = await longRun<SamplerRecord, SamplerState>({
        progress: ({ step }) => ({ fraction: step / steps, label: `level ${step} of ${steps}` }),
      });
      const inverted = await bdiaInvert(denoiser, states, { steps, gamma, ...grid, ...told, ...run.options });
      await run.settle(inverted);
      const [last, before] = inverted.pair;
      const again = await bdiaSample(denoiser, last, { steps, gamma, next: before, ...grid, ...told });
      report([
        ["calls of the network", inverted.calls],
        ["root mean square of the noise", inverted.history.at(-1)?.rms ?? Number.NaN],
        ["error of the way back", rootMeanSquareError(again.x, states)],
      ]);
      await write(options.output, writeSafetensors({ last, before }));
      const [picture] = await pipeline.decode(again.x).then((images) => [images.slice([0])]);
      await write(options.reconstruction, writePng(picture, { layout: "CHW" }));
    } finally {
      await pipeline.release();
    }
  },
});
