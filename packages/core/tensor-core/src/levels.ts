import { UnsupportedError } from "./errors.js";

/**
 * Transformations nest: every running `grad`, `vmap` or trace has a level, 1 for the outermost. A tensor belongs
 * to the highest level that made it, and an operation is carried out by the highest level among its inputs.
 */
const MAX_LEVEL = 30;

let depth = 0;
/** Bit k is set while the gradient of level k records operations. */
let recording = 0;

let traces = 0;

/** Whether a trace is running, so that loops must become part of a graph. */
export function isTracing(): boolean {
  return traces > 0;
}

/** Whether the innermost trace is that of the body of a loop or branch inside another trace. */
export function isNestedTrace(): boolean {
  return traces > 1;
}

/** Runs `body` as a trace. */
export function withTrace<R>(body: (level: number) => R): R {
  traces++;
  try {
    return withLevel(false, body);
  } finally {
    traces--;
  }
}

/** Runs `body` one level deeper; `records` says whether that level is a gradient that records operations. */
export function withLevel<R>(records: boolean, body: (level: number) => R): R {
  const outerRecording = recording;
  if (depth >= MAX_LEVEL) {
    throw new UnsupportedError(`transformations are nested more than ${MAX_LEVEL} deep; flatten the nesting`);
  }
  depth++;
  if (records) recording |= 1 << depth;
  try {
    return body(depth);
  } finally {
    depth--;
    recording = outerRecording;
  }
}

/** Runs `body` while only the gradients of levels below `level` record. */
export function recordingBelow<R>(level: number, body: () => R): R {
  return recordingOnly(recording & ((1 << level) - 1), body);
}

/** Runs `body` while just the gradients of the given levels (as bits) record. */
export function recordingOnly<R>(levels: number, body: () => R): R {
  const outer = recording;
  recording = levels;
  try {
    return body();
  } finally {
    recording = outer;
  }
}

/** The gradient levels above `level` that record now, as bits. */
export function recordingAbove(level: number): number {
  return level === 0 ? recording : recording & (-1 << (level + 1));
}

/** The level of the innermost running transformation; 0 outside of all. */
export function currentLevel(): number {
  return depth;
}
