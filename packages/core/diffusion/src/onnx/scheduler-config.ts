import { FormatError, requireObject, UnsupportedError } from "@offprint/tensor-core";
import type { GridOptions } from "../grid.js";
import type { Prediction } from "../prediction.js";
import { discreteSchedule, type NoiseSchedule } from "../schedule.js";

/** What a scheduler's file says. */
export interface SchedulerSettings {
  /** The noise of training. */
  readonly schedule: NoiseSchedule;
  /** What the network says. */
  readonly prediction: Prediction;
  /** How its makers spread levels. */
  readonly grid: Pick<GridOptions, "spacing" | "clean" | "offset">;
}

const kinds: Readonly<Record<string, "linear" | "scaledLinear" | "cosine">> = {
  linear: "linear",
  scaled_linear: "scaledLinear",
  squaredcos_cap_v2: "cosine",
};

const says: Readonly<Record<string, Prediction>> = { epsilon: "noise", sample: "data", v_prediction: "velocity" };

/**
 * Reads the content of a `scheduler_config.json` of diffusers.
 * @throws UnsupportedError for a kind of noise or prediction that is not known; FormatError for numbers that are none.
 */
export function schedulerSettings(config: Readonly<Record<string, unknown>>): SchedulerSettings {
  requireObject("schedulerSettings", "config", config, "an object");
  const name = "scheduler_config.json";
  const number = (key: string): number | undefined => {
    const value = config[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new FormatError(`${name}: ${key} is ${JSON.stringify(value)}; it must be a number`);
  };
  if (config["rescale_betas_zero_snr"] === true) {
    throw new UnsupportedError(
      `${name}: rescale_betas_zero_snr leaves no data at the last level, which samplers divide by; export the model without it`,
    );
  }
  const prediction = says[String(config["prediction_type"] ?? "epsilon")];
  if (prediction === undefined) {
    throw new UnsupportedError(
      `${name}: prediction_type is "${config["prediction_type"]}"; known are ${Object.keys(says).join(", ")}`,
    );
  }
  const trained = config["trained_betas"];
  const kind = kinds[String(config["beta_schedule"] ?? "linear")];
  if (kind === undefined && !Array.isArray(trained)) {
    throw new UnsupportedError(
      `${name}: beta_schedule is "${config["beta_schedule"]}"; known are ${Object.keys(kinds).join(", ")}`,
    );
  }
  const [first, last, levels] = [number("beta_start"), number("beta_end"), number("num_train_timesteps")];
  const schedule = Array.isArray(trained)
    ? discreteSchedule({ betas: trained.map(Number) })
    : discreteSchedule({
        betas: kind,
        ...(levels !== undefined && { levels }),
        ...(first !== undefined && kind !== "cosine" && { first }),
        ...(last !== undefined && kind !== "cosine" && { last }),
      });
  const given = config["timestep_spacing"];
  const spacing = given === "trailing" || given === "linspace" ? given : "leading";
  const offset = number("steps_offset") ?? 0;
  // Levels that begin with the first one need no other end: a step between the two would change nothing.
  const beginsThere = spacing === "linspace" || (spacing === "leading" && offset === 0);
  const clean = config["set_alpha_to_one"] !== false ? "exact" : beginsThere ? "none" : "first";
  return { schedule, prediction, grid: { spacing, clean, offset } };
}
