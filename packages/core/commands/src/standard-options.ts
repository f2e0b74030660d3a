import { option } from "./option.js";

/**
 * Words after `--device`. `auto` is the same device on every run; `fastest` measures it beside this package's own
 * compiler and keeps the quicker for each function, so that runs may differ by rounding.
 */
export const deviceNames = ["auto", "fastest", "host", "cpu", "webgpu", "cuda", "coreml", "dml"] as const;

/** One of the words after `--device`. */
export type DeviceName = (typeof deviceNames)[number];

/** `--device` and `--threads`, for `backend()` and `loadModel()`. */
export const deviceOptions = {
  device: option.choice(deviceNames, "where compiled functions run", { default: "auto", free: true }),
  threads: option.integer("threads of the cpu device", { least: 1, free: true }),
};

/** `--table`, `--target` and `--features`, for `readTable`. */
export const tableOptions = {
  table: option.fileIn("samples: CSV with a header, NPZ with arrays x [samples, features] and y, or LIBSVM text", {
    required: true,
    short: "t",
  }),
  target: option.text("column, or array of an NPZ file, to predict; default the last column, y"),
  features: option.list(option.text("columns to predict from; default all others"), { distinct: true }),
};

/** `--seed`. */
export const seedOption = { seed: option.integer("source of all randomness", { default: 0 }) };

/** `--holdout`, for `holdOut`. */
export const holdoutOption = {
  holdout: option.number("part of the samples held out to judge by, in [0, 1)", { default: 0.2, least: 0, below: 1 }),
};

/** `--state`, `--resume` and `--checkpoint`, for `longRun`. */
export const stateOptions = {
  state: option.fileOut("file that keeps the state of the run; default <command>.state, removed at the end"),
  resume: option.flag("go on with the run that the state file keeps", { free: true }),
  checkpoint: option.number("seconds between two savings of the state", { default: 10, above: 0, free: true }),
};
