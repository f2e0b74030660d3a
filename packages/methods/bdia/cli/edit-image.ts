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
import { writePng } from "@offprint/data";
import type { SamplerRecord, SamplerState } from "@offprint/diffusion";
import { bdiaEdit } from "../src/index.js";
import { open, sourceOptions } from "./pipeline-source.js";

/** `offprint edit-image --model sd-onnx --image cat.png --source "a cat" --target "a dog" --output dog.png` */
export const editImage = defineCommand({
  name: "edit-image",
  summary: "Edit an image, or a folder of them, by inverting it with one prompt and sampling with another",
  options: {
    ...sourceOptions,
    source: option.text("what the picture shows", { required: true }),
    target: option.text("what it shall show", { required: true }),
    strength: option.number("part of the levels that are gone through", { default: 1, above: 0, most: 1 }),
    output: option.fileOut("file for the edited picture (PNG); for a folder of pictures a folder", {
      kind: "either",
      short: "o",
      required: true,
      endings: [".png"],
    }),
    ...stateOptions,
    ...deviceOptions,
  },
  async run(input) {
    const { options, report, write } = input;
    const files = filesOf(options.image, pictureEndings);
    const output = files.resultsIn(options.output, [".png"]);
    const { pipeline, denoiser, states, grid, condition } = await open(input, true);
    try {
      const { steps, gamma, strength } = options;
      const [{ condition: source }, { condition: target }] = [
        await condition(options.source),
        await condition(options.target),
      ];
      const total = 2 * Math.floor(steps * strength + 1e-9);
      return await eachFile(input, files, {
        progress: ({ step }) => ({ fraction: step / total, label: `step ${step} of ${total}` }),
        work: async (name, run: LongRun<SamplerRecord, SamplerState>["options"]) =>
          bdiaEdit(denoiser, await states(files.pathOf(name)), {
            ...{ steps, gamma, strength, source, target },
            ...grid,
            ...run,
          }),
        async finish(name, edited) {
          report([
            ["calls of the network", edited.calls],
            ["levels", edited.steps / 2],
          ]);
          const images = await pipeline.decode(edited.x);
          await write(output(name), writePng(images.slice([0]), { layout: "CHW" }));
        },
      });
    } finally {
      await pipeline.release();
    }
  },
});
