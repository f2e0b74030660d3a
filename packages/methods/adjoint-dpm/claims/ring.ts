import { type Claim, type ClaimContext, figure, memo } from "@offprint/claims";
import { fitDenoiser, networkDenoiser, type TimeMlpParams, timeMlp } from "@offprint/diffusion";
import { adam } from "@offprint/optim";
import { mean, random, square, stack, sub, sum, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { backpropGradient, type SampleLoss } from "../src/index.js";
import { stable } from "./closed-form.js";
import { adjointDpm, type Method } from "./method.js";

const network = timeMlp({ size: 2, hidden: [64, 64], conditionSize: 2 });
const build = (params: TimeMlpParams) => networkDenoiser(network, params, { schedule: stable, dtype: "float64" });
const around = (angle: number, radius = 1) => [radius * Math.cos(angle), radius * Math.sin(angle)];
const row = (angle: number, count: number) =>
  tensor(
    Array.from({ length: count }, () => around(angle)),
    { dtype: "float64" },
  );

/** A denoiser of eight modes on a ring, told the angle of the mode, trained on the spot. */
const ring = memo(async ({ seed, scale }: ClaimContext) => {
  const rng = random.rng(`ring/${seed}`);
  const count = 4096;
  const angles = Array.from(rng.randint([count], { high: 8 }).data(), (k) => (k * Math.PI) / 4);
  const centres = tensor(
    angles.map((angle) => around(angle)),
    { dtype: "float64" },
  );
  const x = centres.add(rng.normal([count, 2], { std: 0.1, dtype: "float64" }));
  const steps = scale === "full" ? 2500 : 800;
  const { params } = await fitDenoiser(network, x, {
    schedule: stable,
    conditions: centres,
    steps,
    batchSize: 256,
    optimizer: adam({ learningRate: 2e-3 }),
    dtype: "float64",
    seed,
  });
  return { params, noise: rng.normal([32, 2], { dtype: "float64" }) };
});

function gap(found: unknown, exact: unknown): number {
  const [p, q] = [found, exact].map((each) => tree.leaves<Tensor>(each));
  const total = (parts: Tensor[]) => parts.reduce((s, each) => s + sum(square(each)).item(), 0);
  return Math.sqrt(total(p.map((each, i) => each.sub(q[i]))) / total(q));
}

/** Gradients by noise, condition and weights of a network. */
export function learntModel(method: Method = adjointDpm, quickSteps = 100): Claim {
  return {
    id: "learnt-model",
    statement: "For a trained network the adjoint gives the gradients by noise, condition and all weights",
    source: "Section 3.2",
    paper: "exact up to the solver",
    async run(context) {
      const { params, noise } = await ring(context);
      const model = { network: build, params };
      const loss: SampleLoss = (x) => mean(square(sub(x, 1)));
      const condition = row(0, 32);
      const exact = await backpropGradient(model, loss, noise, {
        condition,
        solver: "rk4",
        steps: context.scale === "full" ? 200 : quickSteps,
      });
      const errors = async (solver: "rk4" | "heun", how: "adjoint" | "backprop") => {
        const options = { condition, solver, steps: 40 };
        const found =
          how === "adjoint"
            ? await method.valueAndGradient(model, loss, noise, options)
            : await backpropGradient(model, loss, noise, options);
        return [gap(found.noise, exact.noise), gap(found.condition, exact.condition), gap(found.params, exact.params)];
      };
      const [rk4, heun, through] = [
        await errors("rk4", "adjoint"),
        await errors("heun", "adjoint"),
        await errors("heun", "backprop"),
      ];
      const worst = Math.max(...rk4);
      const beside = Math.max(...heun.map((error, i) => error / through[i]));
      return {
        measured: worst,
        holds: worst < 1e-3 && beside < 1.1,
        detail: `With rk4 in 40 steps all three must be within 1e-3 of those of a fine solve (noise ${figure(rk4[0])}, condition ${figure(rk4[1])}, weights ${figure(rk4[2])}); with heun the adjoint's errors may be a tenth above those of back-propagation through the same steps (${heun.map((error, i) => `${figure(error)} to ${figure(through[i])}`).join(", ")}).`,
      };
    },
  };
}

/** Memory that does not grow. */
export function constantMemory(method: Method = adjointDpm): Claim {
  return {
    id: "constant-memory",
    statement: "What is kept between the passes does not grow with the number of steps; back-propagation's does",
    source: "Section 3.2",
    paper: "O(1)",
    async run(context) {
      const { params, noise } = await ring(context);
      const model = { network: build, params };
      const condition = row(0, 32);
      const adjoint = async (steps: number) => {
        const { tape } = await method.sample(model, noise, { steps, condition });
        return [tape.y, tape.start].reduce((total, x) => total + x.data().byteLength, 0);
      };
      const through = async (steps: number) =>
        (await backpropGradient(model, (x) => mean(square(x)), noise, { steps, condition, solver: "euler" })).tapeBytes;
      const [ours, theirs] = [(await adjoint(80)) / (await adjoint(10)), (await through(80)) / (await through(10))];
      return {
        measured: ours,
        holds: ours <= 1.2 && theirs >= 4,
        detail: `From 10 to 80 steps the tensors kept must grow by at most 1.2 (${figure(ours)}), those of back-propagation by 4 or more (${figure(theirs)}).`,
      };
    },
  };
}

/** The condition and the weights, optimised. */
export function optimised(method: Method = adjointDpm): Claim {
  return {
    id: "condition-and-weights",
    statement: "The gradients find the condition of a reference, and fine-tune weights to a style",
    source: "Sections 4.1 and 4.2",
    paper: "qualitative",
    async run(context) {
      const { params, noise } = await ring(context);
      const model = { network: build, params };
      const sampling = { solver: "heun", steps: context.scale === "full" ? 20 : 10 } as const;
      const { x: target } = await method.sample(model, noise, { ...sampling, condition: row(1, 32) });
      const found = await method.optimizeCondition(
        model,
        (x) => mean(square(sub(x, target))),
        tensor(around(0), { dtype: "float64" }),
        {
          steps: 100,
          noise,
          sampling,
          learningRate: 0.05,
        },
      );
      const missed = Math.hypot(...found.x.data().map((v: number, i: number) => v - around(1)[i]));
      const style: SampleLoss = (x) => mean(square(sub(sum(square(x), 1).sqrt(), 1.5)));
      const tuned = await method.finetune(model, style, {
        steps: 60,
        condition: row(0, 32),
        noise: (rng) => rng.normal([32, 2], { dtype: "float64" }),
        optimizer: adam({ learningRate: 1e-3 }),
        sampling,
        seed: context.seed,
      });
      const [before, after] = [
        tuned.history[0].loss,
        mean(stack(tuned.history.slice(-5).map(({ loss }) => tensor(loss, { dtype: "float64" })))).item(),
      ];
      return {
        measured: missed,
        holds: missed < 0.02 && before > 0.1 && after < 0.005,
        detail: `From the angle 0 the condition of samples at 1 rad must be found to 0.02 (${figure(missed)}); the weights' loss must fall from above 0.1 to below 0.005 (from ${figure(before)} to ${figure(after)}).`,
      };
    },
  };
}
