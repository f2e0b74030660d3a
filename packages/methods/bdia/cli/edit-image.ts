import { defineCommand, deviceOptions, option, stateOptions } from "@offprint/commands";
import { writePng } from "@offprint/data";
import type { SamplerRecord, SamplerState } from "@offprint/diffusion";
import { bdiaEdit } from "../src/index.js";
import { open, sourceOptions } from "./pipeline-source.js";

/** `offprint edit-image --model sd-onnx --image cat.png --source "a cat" --target "a dog" --output dog.png` */
export const editImage = defineCommand({
  name: "edit-image",
  summary: "Edit an image by inverting it with one prompt and sampling with another",
  options: {
    ...sourceOptions,
    source: option.text("what the picture shows", { required: true }),
    target: option.text("what it shall show", { required: true }),
    strength: option.number("part of the levels that are gone through", { default: 1, above: 0, most: 1 }),
    output: option.fileOut("file for the edited picture (PNG)", { short: "o", required: true, endings: [".png"] }),
    ...stateOptions,
    ...deviceOptions,
  },
  async run(input) {
    const { options, report, write, longRun } = input;
    const { pipeline, denoiser, states, grid, condition } = await open(input, true);
    try {
      const { steps, gamma, strength } = options;
      const [{ condition: source }, { condition: target }] = [
        await condition(options.source),
        await condition(options.target),
      ];
      const total = 2 * Math.floor(steps * strength + 1e-9);
      const run = await longRun<SamplerRecord, SamplerState>({
        progress: ({ step }) => ({ fraction: step / total, label: `step ${step} of ${total}` }),
      });
      const edited = await bdiaEdit(denoiser, states, {
        steps,
        gamma,
        strength,
        source,
        target,
        ...grid,
        ...run.options,
      });
      await run.settle(edited);
      report([
        ["calls of the network", edited.calls],
        ["levels", edited.steps / 2],
      ]);
      const images = await pipeline.decode(edited.x);
      await write(options.output, writePng(images.slice([0]), { layout: "CHW" }));
    } finally {
      await pipeline.release();
    }
  },
});
