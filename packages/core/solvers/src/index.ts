export { type Breather, makeBreather, turn } from "./run/breather.js";
export { checkRunOptions, type Loop, type RunResult, runLoop, runLoopSync } from "./run/run-loop.js";
export { type Checkpoint, type RunOptions, type RunState, runOptionNames } from "./run/run-options.js";
export type { ProgrammeStatus, Status } from "./run/status.js";
