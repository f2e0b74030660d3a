import {
  checkOptions,
  clip,
  div,
  exp,
  lessEqual,
  mul,
  requireChoice,
  requireInteger,
  requirePositive,
  sub,
  type Tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";
import type { DenoisingLoss } from "./losses.js";

/** A number, or a geometric course from one value to another over a stage. */
export type Course = number | readonly [from: number, to: number];

/** A stage of training. */
export interface Stage {
  /** What is minimised. */
  readonly loss: DenoisingLoss;
  /** Steps of it. */
  readonly steps: number;
  /** Learning rate. Default 1e-3. */
  readonly learningRate?: Course;
  /** Width of proximal matching, > 0, in units of the norm of a whole sample; needed where that is the loss. */
  readonly gamma?: Course;
}

/** @internal Stages one after the other, and what holds in each step. */
export interface Schedule {
  /** Steps of all stages. */
  readonly steps: number;
  /** Loss and gamma of the step with this number, from 0. */
  at(step: number): { readonly loss: DenoisingLoss; readonly gamma: number };
  /** The learning rate of an update, 1 for the first, in operations of tensors. */
  learningRate(update: Tensor): Tensor;
}

interface Placed extends Required<Stage> {
  /** Steps before it. */
  readonly start: number;
}

const ends = (course: Course) => (typeof course === "number" ? ([course, course] as const) : course);

function requireCourse(owner: string, name: string, course: Course): void {
  const both = typeof course === "number" ? [course, course] : course;
  if (!Array.isArray(both) || both.length !== 2) {
    throw new ValueError(`${owner}: ${name} is ${String(course)}; give a number or [from, to]`);
  }
  for (const end of both) requirePositive(owner, name, end);
}

/** @internal @throws ValueError */
export function scheduleOf(caller: string, stages: readonly Stage[]): Schedule {
  const owner = `${caller}: stages`;
  if (!Array.isArray(stages) || stages.length === 0) {
    throw new ValueError(`${owner} must be an array of at least one, such as matchingStages({ size: 784 })`);
  }
  let steps = 0;
  const placed = stages.map((stage: Stage): Placed => {
    const { learningRate = 1e-3, gamma = 1 } = checked(owner, stage);
    const start = steps;
    steps += stage.steps;
    return { ...stage, learningRate, gamma, start };
  });
  return {
    steps,
    at(step) {
      const stage = placed.find((each) => step < each.start + each.steps) ?? placed[placed.length - 1];
      const [from, to] = ends(stage.gamma);
      const fraction = stage.steps === 1 ? 1 : Math.min(1, (step - stage.start) / (stage.steps - 1));
      return { loss: stage.loss, gamma: from * (to / from) ** fraction };
    },
    learningRate: (update) =>
      placed.reduceRight<Tensor>(
        (later, stage) => where(lessEqual(update, stage.start + stage.steps), rateIn(stage, update), later),
        rateIn(placed[placed.length - 1], update),
      ),
  };
}

/** From one end to the other geometrically, over the updates of a stage. */
function rateIn({ start, steps, learningRate }: Placed, update: Tensor): Tensor {
  const [from, to] = ends(learningRate);
  const fraction = clip(div(sub(update, start + 1), Math.max(1, steps - 1)), 0, 1);
  return mul(exp(mul(fraction, Math.log(to / from))), from);
}

function checked(owner: string, stage: Stage): Stage {
  checkOptions(owner, stage, ["loss", "steps", "learningRate", "gamma"]);
  const { loss, steps, learningRate, gamma } = stage;
  requireChoice(owner, "loss", loss ?? null, ["squared", "absolute", "matching"]);
  requireInteger(owner, "steps", steps, 0);
  if (learningRate !== undefined) requireCourse(owner, "learningRate", learningRate);
  if (gamma !== undefined) requireCourse(owner, "gamma", gamma);
  else if (loss === "matching") {
    throw new ValueError(`${owner}: one of proximal matching needs gamma, such as [2 * typical error, error]`);
  }
  return stage;
}

/** Settings of {@link matchingStages}. */
export interface MatchingStagesOptions {
  /** Numbers in one sample, such as pixels times channels. */
  readonly size: number;
  /** Steps in all. Default 40 000. */
  readonly steps?: number;
}

/**
 * The paper's schedule for images: half of the steps with the absolute error at 1e-3, then four stages of proximal matching at
 * 1e-4, in which gamma is 8, 4, 2 and 1 times `0.08 sqrt(size)`.
 * @throws ValueError
 */
export function matchingStages(options: MatchingStagesOptions): Stage[] {
  checkOptions("matchingStages", options, ["size", "steps"], ["size"]);
  const { size, steps = 40_000 } = options;
  requireInteger("matchingStages", "size", size, 1);
  requireInteger("matchingStages", "steps", steps, 8);
  const part = Math.floor(steps / 8);
  return [
    { loss: "absolute", steps: steps - 4 * part, learningRate: 1e-3 },
    ...[8, 4, 2, 1].map((factor) => ({
      loss: "matching" as const,
      steps: part,
      learningRate: 1e-4,
      gamma: factor * 0.08 * Math.sqrt(size),
    })),
  ];
}
