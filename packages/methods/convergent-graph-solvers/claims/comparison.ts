import type { ClaimContext } from "@offprint/claims";
import type { GraphModel, GraphSample } from "../src/index.js";
import type { Method } from "./method.js";
import { meanSquare, targetVariance, trained } from "./training.js";

/** Of the fixed points of CGS: a thousandth of the errors that are compared, in two thirds of the iterations that 1e-6 takes. */
export const tolerance = 1e-4;

/** Sizes of networks and data: those of the sheet, or smaller ones. */
export type Scale = ClaimContext["scale"];

/** What training and judging take of a claim's context. */
export type Watched = Pick<ClaimContext, "scale" | "signal" | "onProgress">;

/** What models learn from, and graphs larger than those of training, by which they are judged. */
export interface Draw {
  readonly training: readonly GraphSample[];
  readonly large: readonly GraphSample[];
}

/** Variants of a model by their names; as many of each model, so that each has the same budget of tuning. */
export type Variants = Readonly<Record<string, GraphModel<unknown>>>;

/** A problem on which CGS and graph networks are compared. All models are trained alike, each with settings of its own. */
export interface Comparison {
  /** The claim's name. */
  readonly id: string;
  /** The models by their names. */
  models(method: Method, scale: Scale): Readonly<Record<string, Variants>>;
  /** Updates, and graphs of each. */
  plan(scale: Scale): { readonly steps: number; readonly batchSize: number };
  /** Graphs, which the key determines. */
  draw(key: string, scale: Scale): Draw;
}

/** Settings of a model that tuning chooses. */
export interface Settings {
  /** Name of the variant. */
  readonly variant: string;
  readonly learningRate: number;
}

/** A trained model, and how wrong it is. */
export interface Judged {
  readonly model: GraphModel<unknown>;
  readonly params: unknown;
  /** Mean square of the errors on the large graphs. */
  readonly squared: number;
  /** That over the variance of the targets. */
  readonly error: number;
}

/** Trains a model on a draw and judges it. The key determines what training draws. */
export async function judged(
  context: Watched,
  method: Method,
  { models, plan }: Comparison,
  name: string,
  { variant, learningRate }: Settings,
  { training, large }: Draw,
  key: string,
): Promise<Judged> {
  const { scale } = context;
  const model = models(method, scale)[name][variant];
  const params = await trained(context, method, model, training, { ...plan(scale), seed: key, learningRate });
  const squared = await meanSquare(model, params, large);
  return { model, params, squared, error: squared / targetVariance(large) };
}
