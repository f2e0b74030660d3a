import { type Claim, figure } from "@offprint/claims";
import { orthonormal } from "@offprint/claims/makers";
import { ddimInvert, ddimSample, levelGrid, levelTensors, rootMeanSquareError } from "@offprint/diffusion";
import { classMixture } from "@offprint/diffusion/testing";
import { add, argMax, matmul, mul, swapAxes, type Tensor, tensor } from "@offprint/tensor-core";
import { inpainting, type LatentModel } from "../src/index.js";
import { type Method, secondOrder } from "./method.js";
import { stable } from "./test-bed.js";

/** Editing from a damaged picture. */
export function editing(method: Method = secondOrder): Claim {
  return {
    id: "corrupted-editing",
    statement: "A damaged picture that is restored before it is edited keeps its content; edited as it is, it loses it",
    source: "Section 3.3, Figure 1",
    paper: "no residual distortions",
    async run({ rng, seed, scale }) {
      const { mixture, condition, draw } = classMixture(rng);
      const count = scale === "full" ? 256 : 128;
      const [size, pixels] = [8, 32];
      const w = orthonormal(rng, pixels).slice([null, { stop: size }]);
      const model: LatentModel = {
        denoiser: mixture.denoiser(stable),
        encode: (x) => matmul(x, w),
        decode: (z) => matmul(z, swapAxes(w, 0, 1)),
        latentShape: [size],
      };
      const data = draw(rng, 0, count);
      const seen = rng.permutation(pixels).data().slice(0, 12);
      const measurement = inpainting(Array.from({ length: pixels }, (_, i) => (seen.includes(i) ? 1 : 0)));
      const images = model.decode(data) as Tensor;
      const y = measurement.apply(add(images, mul(rng.normal(images.shape, { dtype: "float64" }), 0.05)));
      const [source, target] = [condition(0, count), condition(1, count)];
      const { edited } = await method.edit(model, measurement, y, { source, target, seed });
      const levels = levelGrid(stable, 50, { offset: 0 });
      const direct = async (latents: Tensor) => {
        const { x } = await ddimInvert(model.denoiser, latents, { levels, condition: source });
        return (await ddimSample(model.denoiser, x, { levels, condition: target })).x;
      };
      const one = tensor(1, { dtype: "float64" });
      const clean = { ...levelTensors(levels[1]), alpha: one, sigma: one.mul(0) };
      const judge = (z: Tensor) => {
        const component = argMax(mixture.logComponents(z, clean), 1).data();
        const content = (x: Tensor) => x.slice([null, { start: 2 }]);
        return {
          content: rootMeanSquareError(content(z), content(data)),
          moved: Array.from(component).filter((k) => k >= 6).length / count,
        };
      };
      const ours = judge(model.encode(edited as Tensor) as Tensor);
      const asItIs = judge(await direct(model.encode(measurement.transpose(y)) as Tensor));
      const best = judge(await direct(data));
      const moved = Math.min(ours.moved, asItIs.moved, best.moved);
      return {
        measured: ours.content / asItIs.content,
        holds: ours.content < 0.4 * asItIs.content && moved === 1,
        detail: `Root mean square change of the content must be below 0.4 of that without restoration (${figure(ours.content)} to ${figure(asItIs.content)}; from the undamaged picture ${figure(best.content)}), and all must reach the other class (${figure(100 * moved)} %).`,
      };
    },
  };
}
