import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { grad, random, sum, type Tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  ddimSample,
  discreteSchedule,
  levelGrid,
  levelTensors,
  noiseWithPullback,
  predictAs,
  trainingLevel,
  withGuidance,
} from "../src/index.js";
import { loadPipeline, schedulerSettings, unetDenoiser } from "../src/onnx/index.js";
import { folderOf, tinyPipeline } from "../src/testing/index.js";
import { normal } from "./problems.js";

const tiny = tinyPipeline({ toOnnx });
const pixels = tinyPipeline({ toOnnx, latent: false });

const shape = [2, 2, 4, 4];
const z = normal(1, shape);
const told = normal(2, [2, 6, 5]).cast("float32");

describe("a folder of a latent model", () => {
  it("gives network, schedule, autoencoder and text encoder", async () => {
    const pipeline = await loadPipeline(folderOf(tiny.files), { loadModel });
    expect([pipeline.prediction, pipeline.latent, pipeline.grid]).toEqual([
      "velocity",
      true,
      { spacing: "leading", clean: "first", offset: 1 },
    ]);
    const level = levelTensors(trainingLevel(pipeline.schedule, 500));
    const times = level.timestep.cast("float32").add([0, 0]);
    const output = await pipeline.denoiser.predict(z, level, told);
    expect(output.dtype).toBe("float64");
    expectClose(output, tiny.unet(z.cast("float32"), times, told).cast("float64"), 1e-5);

    const images = random.rng(3).uniform([2, 3, 8, 8]);
    const latents = await pipeline.encode(images);
    expect(latents.shape).toEqual(shape);
    const drawn = await pipeline.encode(images, random.rng(4));
    // The variance of the tiny encoder is exp(-30): a draw is its mean to six digits, and scaled by 0.5.
    expectClose(drawn, latents, 1e-5);
    const decoded = await pipeline.decode(latents);
    expect(decoded.shape).toEqual([2, 3, 8, 8]);
    expect(Math.max(...decoded.data())).toBeLessThanOrEqual(1);

    const condition = await pipeline.encodeText(["AB  c", ""]);
    expect(condition.shape).toEqual([2, 6, 5]);
    // begin, ab</w>, c</w>, end, end, end: two texts share their beginnings and ends.
    expectClose(condition.slice([0, 0]), condition.slice([1, 0]), 0);
    expectClose(condition.slice([0, 5]), condition.slice([1, 1]), 0);
    expect(
      Math.max(
        ...condition
          .slice([0, 1])
          .sub(condition.slice([1, 1]))
          .abs()
          .data(),
      ),
    ).toBeGreaterThan(0.1);

    const guided = await ddimSample(pipeline.denoiser, z, { steps: 3, condition, ...pipeline.grid });
    expect(guided.x.shape).toEqual(shape);
    expect(guided.levels[0].alpha).toBeLessThan(1);
    await pipeline.release();
  });

  it("without an autoencoder states are pixels in [-1, 1]", async () => {
    const pipeline = await loadPipeline(folderOf(pixels.files), { loadModel });
    const images = random.rng(5).uniform([2, 3, 8, 8]);
    expectClose(await pipeline.decode(await pipeline.encode(images)), images, 1e-6);
    expectClose(await pipeline.encode(images), images.cast("float64").mul(2).sub(1), 1e-6);
    await pipeline.release();
  });

  it("gradients lie beside network and decoder", async () => {
    const files = {
      ...tiny.files,
      "unet_gradient/model.onnx": tiny.gradient,
      "vae_decoder_gradient/model.onnx": tiny.decoderGradient,
    };
    const pipeline = await loadPipeline(folderOf(files), { loadModel });
    const level = levelTensors(trainingLevel(pipeline.schedule, 300));
    const cotangent = normal(6, shape);
    const { noise, pull } = await noiseWithPullback("test", pipeline.denoiser, z, level, told);
    const { z: found } = await pull(cotangent);
    const traced = (x: Tensor) =>
      predictAs(
        {
          prediction: pipeline.prediction,
          schedule: pipeline.schedule,
          predict: (states, { timestep }) =>
            tiny.unet(states.cast("float32"), timestep.cast("float32").add([0, 0]), told),
        },
        "noise",
        x,
        level,
      );
    expectClose(noise, traced(z), 1e-5);
    expectClose(found, grad((x: Tensor) => sum(traced(x).mul(cotangent)))(z), 1e-4);

    const images = normal(7, [2, 3, 8, 8]);
    const { decodeGradient } = pipeline;
    const slope = sum((await decodeGradient?.(z, images))?.mul(cotangent) as Tensor).item();
    const at = async (h: number) => sum((await pipeline.decode(z.add(cotangent.mul(h)))).mul(images)).item();
    // Differences of a network in single precision.
    expectClose(slope, ((await at(1e-2)) - (await at(-1e-2))) / 2e-2, { relative: 1e-2, absolute: 1e-2 });
    expect((await loadPipeline(folderOf(tiny.files), { loadModel })).decodeGradient).toBeUndefined();
    const plain = await loadPipeline(folderOf(pixels.files), { loadModel });
    expectClose(await plain.decodeGradient?.(images, images), images.div(2), 1e-12);
    expect(await failureOf(() => noiseWithPullback("test", plain.denoiser, images, level, told))).toEqual(
      errorLike("UnsupportedError", /has no vjp/),
    );
  });

  it("levels that begin with the first one end there, where a scheduler asks for it", () => {
    const grid = (more: object) => schedulerSettings({ set_alpha_to_one: false, ...more }).grid;
    expect([grid({}).clean, grid({ steps_offset: 1 }).clean]).toEqual(["none", "first"]);
    expect(grid({ timestep_spacing: "linspace", steps_offset: 1 }).clean).toBe("none");
    expect(schedulerSettings({}).grid.clean).toBe("exact");
    for (const more of [{}, { steps_offset: 1 }, { timestep_spacing: "linspace" }, { timestep_spacing: "trailing" }]) {
      expect(levelGrid(discreteSchedule(), 50, grid(more))).toHaveLength(51);
    }
  });

  it("every field of a scheduler that says how to sample is honoured, named, or refused", async () => {
    // The fields that diffusers 0.30 writes for a DDIMScheduler, with those of other schedulers.
    const usual = {
      ...{ _class_name: "DDIMScheduler", _diffusers_version: "0.30.0", beta_end: 0.02, beta_schedule: "linear" },
      ...{ beta_start: 0.0001, clip_sample: false, clip_sample_range: 1.0, dynamic_thresholding_ratio: 0.995 },
      ...{ num_train_timesteps: 1000, prediction_type: "epsilon", rescale_betas_zero_snr: false, sample_max_value: 1 },
      ...{ set_alpha_to_one: true, steps_offset: 0, thresholding: false, timestep_spacing: "leading" },
      ...{ trained_betas: null, use_karras_sigmas: false, variance_type: "fixed_small", timestep_type: "discrete" },
    };
    expect(schedulerSettings(usual)).toMatchObject({ prediction: "noise", ignored: [] });
    const ignored = (more: object) =>
      schedulerSettings({ ...usual, ...more }).ignored.map((line) => line.split(" ")[0]);
    expect(ignored({ clip_sample: true, thresholding: true, use_karras_sigmas: true })).toEqual([
      "clip_sample",
      "thresholding",
      "use_karras_sigmas",
    ]);
    expect(schedulerSettings({ ...usual, steps_offset: 1, final_sigmas_type: "sigma_min" }).grid.clean).toBe("first");
    const cases: readonly [more: Record<string, unknown>, kind: string, message: RegExp][] = [
      [{ timestep_spacing: "even" }, "UnsupportedError", /timestep_spacing is "even"; known are leading/],
      [{ timestep_type: "continuous" }, "UnsupportedError", /timestep_type "continuous"/],
      [{ variance_type: "learned_range" }, "UnsupportedError", /variance_type "learned_range"/],
      [{ use_flow_sigmas: true }, "UnsupportedError", /use_flow_sigmas/],
      [{ snr_shift_scale: 3 }, "UnsupportedError", /snr_shift_scale 3/],
      [{ steps_offset: -1 }, "FormatError", /steps_offset is -1/],
      [{ steps_offset: 0.5 }, "FormatError", /steps_offset is 0.5/],
      [{ clip_sample: "yes" }, "FormatError", /clip_sample is "yes"; it must be true or false/],
      [{ set_alpha_to_one: 0 }, "FormatError", /set_alpha_to_one is 0/],
      [{ beta_end: 2 }, "FormatError", /betas make no schedule/],
      [{ num_train_timesteps: 0 }, "FormatError", /betas make no schedule/],
      [{ trained_betas: [0.1, "x"] }, "FormatError", /betas make no schedule/],
    ];
    for (const [more, kind, message] of cases) {
      expect(await failureOf(() => schedulerSettings({ ...usual, ...more }))).toEqual(errorLike(kind, message));
    }
    expect(
      await failureOf(() => schedulerSettings({ _class_name: "FlowMatchEulerDiscreteScheduler", shift: 3 })),
    ).toEqual(errorLike("UnsupportedError", /FlowMatchEulerDiscreteScheduler has no beta_schedule/));
  });

  it("names what is missing or not known", async () => {
    const { "unet/model.onnx": _, ...without } = tiny.files;
    expect(await failureOf(() => loadPipeline(folderOf(without), { loadModel }))).toEqual(
      errorLike("ValueError", /unet\/model.onnx/),
    );
    expect(await failureOf(() => loadPipeline(folderOf({}), { loadModel }))).toEqual(
      errorLike("ValueError", /scheduler_config/),
    );
    expect(await failureOf(() => schedulerSettings({ beta_schedule: "odd" }))).toEqual(
      errorLike("UnsupportedError", /"odd"/),
    );
    expect(await failureOf(() => schedulerSettings({ prediction_type: "flow" }))).toEqual(
      errorLike("UnsupportedError", /"flow"/),
    );
    expect(await failureOf(() => schedulerSettings({ rescale_betas_zero_snr: true }))).toEqual(
      errorLike("UnsupportedError", /zero_snr/),
    );
    expect(await failureOf(() => schedulerSettings({ beta_start: "x" }))).toEqual(
      errorLike("FormatError", /beta_start/),
    );
  });
});

describe("a network of a file", () => {
  it("hands out its gradient from a second file, through guidance too", async () => {
    const schedule = discreteSchedule({ betas: "scaledLinear" });
    const { files } = tiny;
    const [model, gradient] = [await loadModel(files["unet/model.onnx"]), await loadModel(tiny.gradient)];
    const denoiser = unetDenoiser(model, { schedule, prediction: "velocity", gradient });
    const level = levelTensors(trainingLevel(schedule, 300));
    const cotangent = normal(6, shape);
    const times = level.timestep.cast("float32").add([0, 0]);
    const expected = grad((x: Tensor, c: Tensor) => sum(tiny.unet(x, times, c).mul(cotangent.cast("float32"))), {
      argument: [0, 1],
    })(z.cast("float32"), told);
    const { z: ofState, condition: ofCondition } = await denoiser.vjp!(z, level, told, cotangent);
    expectClose(ofState, expected[0].cast("float64"), 1e-4);
    expectClose(ofCondition as Tensor, expected[1].cast("float64"), 1e-4);

    const one = {
      z: z.slice([{ stop: 1 }]),
      told: told.slice([{ stop: 1 }]),
      cotangent: cotangent.slice([{ stop: 1 }]),
    };
    const nothing = told.slice([{ start: 1 }]);
    const guided = withGuidance(denoiser, nothing, 3);
    const through = await guided.vjp!(one.z, level, one.told, one.cotangent);
    const single = times.slice([{ stop: 1 }]);
    const mixed = (x: Tensor, c: Tensor) => {
      const [a, b] = [tiny.unet(x, single, nothing), tiny.unet(x, single, c)];
      return sum(a.add(b.sub(a).mul(3)).mul(one.cotangent.cast("float32")));
    };
    const [dz, dc] = grad(mixed, { argument: [0, 1] })(one.z.cast("float32"), one.told);
    expectClose(through.z, dz.cast("float64"), 1e-4);
    expectClose(through.condition as Tensor, dc.cast("float64"), 1e-4);
    await model.release();
    await gradient.release();
  });

  it("says which inputs it needs", async () => {
    const schedule = discreteSchedule();
    const model = await loadModel(tiny.files["unet/model.onnx"]);
    const denoiser = unetDenoiser(model, { schedule });
    const level = levelTensors(trainingLevel(schedule, 1));
    expect(await failureOf(() => denoiser.predict(z, level))).toEqual(
      errorLike("ValueError", /also takes "encoder_hidden_states"/),
    );
    expect(await failureOf(() => unetDenoiser(model, { schedule, sample: "image" }))).toEqual(
      errorLike("ValueError", /no input "image"/),
    );
    expect(await failureOf(() => unetDenoiser(model, { schedule, output: "y" }))).toEqual(
      errorLike("ValueError", /no output "y"/),
    );
    await model.release();
  });
});
