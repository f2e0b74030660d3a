import type { Tensor } from "@offprint/tensor-core";
import { OnlineSso, type OnlineSsoOptions, sso, type TargetModel, TargetSurrogate } from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Surrogate optimisation. */
  readonly sso: typeof sso;
  /** The same, a round at a time. */
  online(model: TargetModel<Tensor>, options: OnlineSsoOptions<Tensor>): Pick<OnlineSso<Tensor>, "observe" | "params">;
  /** The surrogate in target space for a step size. */
  surrogate(...parts: ConstructorParameters<typeof TargetSurrogate>): TargetSurrogate;
}

/** The method of the paper. */
export const targetSurrogates: Method = {
  sso,
  online: (model, options) => new OnlineSso(model, options),
  surrogate: (...parts) => new TargetSurrogate(...parts),
};
