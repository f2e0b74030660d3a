import { FormatError, requireObject, UnsupportedError, ValueError } from "@offprint/tensor-core";
import type { GridOptions } from "../grid.js";
import type { Prediction } from "../prediction.js";
import { type DiscreteScheduleOptions, discreteSchedule, type NoiseSchedule } from "../schedule.js";

/** What a scheduler's file says. */
export interface SchedulerSettings {
  /** The noise of training. */
  readonly schedule: NoiseSchedule;
  /** What the network says. */
  readonly prediction: Prediction;
  /** How its makers spread levels. */
  readonly grid: Pick<GridOptions, "spacing" | "clean" | "offset">;
  /** What its makers' samplers do and those here do not: fields of the file, each with what it stands for. */
  readonly ignored: readonly string[];
}

const kinds: Readonly<Record<string, "linear" | "scaledLinear" | "cosine">> = {
  linear: "linear",
  scaled_linear: "scaledLinear",
  squaredcos_cap_v2: "cosine",
};

const says: Readonly<Record<string, Prediction>> = { epsilon: "noise", sample: "data", v_prediction: "velocity" };

const spacings = ["leading", "linspace", "trailing"] as const;

/** Habits of samplers that the samplers here have not. */
const habits: Readonly<Record<string, string>> = {
  clip_sample: "predicted data are cut to a range",
  thresholding: "predicted data are cut to a quantile",
  use_karras_sigmas: "levels are spread as Karras et al. do",
  use_exponential_sigmas: "levels are spread by even logarithms of their noise",
  use_beta_sigmas: "levels are spread by quantiles of a beta distribution",
  use_lu_lambdas: "levels are spread by even log signal-to-noise ratios",
};

/** What changes what the network was trained with, or is told: without it results would be wrong. */
const refused: readonly { field: string; is: (value: unknown) => boolean; why: string }[] = [
  {
    field: "rescale_betas_zero_snr",
    is: (value) => value === true,
    why: "leaves no data at the last level, which samplers divide by; export the model without it",
  },
  {
    field: "use_flow_sigmas",
    is: (value) => value === true,
    why: "is of flow matching, whose networks say velocities of straight paths; take a model with a beta_schedule",
  },
  {
    field: "snr_shift_scale",
    is: (value) => typeof value === "number" && value !== 1,
    why: "changes the noise of training in a way that is not known here; take a model without it",
  },
  {
    field: "timestep_type",
    is: (value) => typeof value === "string" && value !== "discrete",
    why: "tells the network other times than those of training levels; take a model with discrete times",
  },
  {
    field: "variance_type",
    is: (value) => typeof value === "string" && value.startsWith("learned"),
    why: "means a network that says variances beside its prediction; export it with the prediction alone and variance_type fixed_small",
  },
];

/**
 * Reads the content of a `scheduler_config.json` of diffusers.
 * Fields that tell how to sample are honoured, or named in `ignored`; those of one sampler alone (`solver_order`, ...) mean nothing here.
 * @throws UnsupportedError for a kind of noise or prediction that is not known; FormatError for values that are none.
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
  const flag = (key: string): boolean | undefined => {
    const value = config[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return value;
    throw new FormatError(`${name}: ${key} is ${JSON.stringify(value)}; it must be true or false`);
  };
  for (const { field, is, why } of refused) {
    if (is(config[field])) throw new UnsupportedError(`${name}: ${field} ${JSON.stringify(config[field])} ${why}`);
  }
  const maker = config["_class_name"];
  if (maker !== undefined && !["beta_schedule", "beta_start", "trained_betas"].some((key) => key in config)) {
    throw new UnsupportedError(
      `${name}: a ${String(maker)} has no beta_schedule; take a model that was trained with betas`,
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
  const schedule = scheduleOf(
    Array.isArray(trained)
      ? { betas: trained.map(Number) }
      : {
          betas: kind,
          ...(levels !== undefined && { levels }),
          ...(first !== undefined && kind !== "cosine" && { first }),
          ...(last !== undefined && kind !== "cosine" && { last }),
        },
  );
  const spacing = (config["timestep_spacing"] ?? "leading") as (typeof spacings)[number];
  if (!spacings.includes(spacing)) {
    throw new UnsupportedError(
      `${name}: timestep_spacing is ${JSON.stringify(spacing)}; known are ${spacings.join(", ")}`,
    );
  }
  const offset = number("steps_offset") ?? 0;
  if (!(Number.isInteger(offset) && offset >= 0)) {
    throw new FormatError(`${name}: steps_offset is ${offset}; it must be an integer of at least 0`);
  }
  // Levels that begin with the first one need no other end: a step between the two would change nothing.
  const beginsThere = spacing === "linspace" || (spacing === "leading" && offset === 0);
  const exact = flag("set_alpha_to_one") !== false && config["final_sigmas_type"] !== "sigma_min";
  const clean = exact ? "exact" : beginsThere ? "none" : "first";
  const ignored = Object.keys(habits).filter((field) => flag(field) === true);
  return {
    schedule,
    prediction,
    grid: { spacing, clean, offset },
    ignored: ignored.map((field) => `${field} (${habits[field]})`),
  };
}

function scheduleOf(options: DiscreteScheduleOptions): NoiseSchedule {
  try {
    return discreteSchedule(options);
  } catch (cause) {
    if (!(cause instanceof ValueError)) throw cause;
    throw new FormatError(`scheduler_config.json: its betas make no schedule: ${cause.message}`, { cause });
  }
}
