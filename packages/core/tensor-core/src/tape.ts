import { zerosLike } from "./construct.js";
import { currentLevel, recordingAbove } from "./levels.js";
import { add } from "./ops/elementwise.js";
import { Tensor } from "./tensor.js";

/** One gradient per input, computed only when it is needed; null where there is none. */
export type Pullback = readonly (null | (() => Tensor))[];

/** How a tensor was computed: the edge of the graph that gradients walk back along. */
export interface TapeRecord {
  /** Grows with time: whatever a record depends on has a smaller id. */
  readonly id: number;
  /** Gradient levels on whose variables the record depends, as bits. */
  readonly levels: number;
  readonly inputs: readonly Tensor[];
  outputs: readonly Tensor[];
  /** `level` is the gradient level that is being differentiated. */
  pullback(cotangents: readonly Tensor[], record: TapeRecord, level: number): Pullback;
}

let nextId = 1;

/** The recording levels above `level` that a value computed from `inputs` depends on. */
export function dependsOn(inputs: readonly Tensor[], level: number): number {
  let levels = 0;
  for (const input of inputs) if (input.record !== null) levels |= input.record.levels;
  return levels === 0 ? 0 : levels & recordingAbove(level);
}

/** The same values, remembered as the outputs of a computation with the given pullback. */
export function recorded(
  levels: number,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  pullback: TapeRecord["pullback"],
): Tensor[] {
  const record: TapeRecord = { id: nextId++, levels, inputs, outputs, pullback };
  const tracked = outputs.map((y, i) => new Tensor(y.shape, y.dtype, y.storage, record, i));
  record.outputs = tracked;
  return tracked;
}

/** A variable of the gradient at the current level, equal to `x`; gradients of outer levels pass through it. */
export function variable(x: Tensor): Tensor {
  const outer = dependsOn([x], 0);
  return recorded(outer | (1 << currentLevel()), [x], [x], (cotangents) => [() => cotangents[0]])[0];
}

/** The id of the next record: what is recorded from now on has no smaller one. */
export function tapeTime(): number {
  return nextId;
}

/** A stretch of the tape: what was recorded from the first id on and before the second. */
export type TapeSpan = readonly [from: number, to: number];

/** What `outputs` depend on directly, through what was recorded in the given stretches. */
export function dependenciesOutside(spans: readonly TapeSpan[], outputs: readonly Tensor[]): Tensor[] {
  const found = new Set<Tensor>();
  const seen = new Set<TapeRecord>();
  const pending = [...outputs];
  for (let x = pending.pop(); x !== undefined; x = pending.pop()) {
    const { record } = x;
    if (record === null) continue;
    if (!spans.some(([from, to]) => from <= record.id && record.id < to)) found.add(x);
    else if (!seen.has(record)) {
      seen.add(record);
      pending.push(...record.inputs);
    }
  }
  return [...found];
}

/** The same value without its history. */
export function detached(x: Tensor): Tensor {
  if (x.record === null) return x;
  const { wide } = x;
  return new Tensor(x.shape, x.dtype, x.storage, null, 0, wide && (() => detached(wide())));
}

/** `x` without history of gradient levels that have ended. */
export function released(x: Tensor): Tensor {
  return x.record === null || (x.record.levels & recordingAbove(0)) !== 0 ? x : detached(x);
}

/**
 * Reverse accumulation from `outputs` with the given cotangents to `variables` of gradient level `level`.
 * @returns one cotangent per variable; null where the outputs do not depend on it.
 */
export function backward(
  outputs: readonly Tensor[],
  cotangents: readonly (Tensor | null)[],
  variables: readonly Tensor[],
  level: number,
): (Tensor | null)[] {
  const bit = 1 << level;
  let oldest = Number.POSITIVE_INFINITY;
  for (const v of variables) oldest = Math.min(oldest, (v.record as TapeRecord).id);
  const reaches = (x: Tensor) => x.record !== null && x.record.id >= oldest && (x.record.levels & bit) !== 0;

  const sums = new Map<TapeRecord, (Tensor | null)[]>();
  const accumulate = (x: Tensor, g: Tensor) => {
    const record = x.record as TapeRecord;
    let slots = sums.get(record);
    if (slots === undefined) {
      slots = record.outputs.map(() => null);
      sums.set(record, slots);
    }
    const old = slots[x.outputIndex];
    slots[x.outputIndex] = old === null ? g : add(old, g);
  };

  const order: TapeRecord[] = [];
  const seen = new Set<TapeRecord>();
  const pending: TapeRecord[] = [];
  const visit = (x: Tensor) => {
    if (!reaches(x) || seen.has(x.record as TapeRecord)) return;
    seen.add(x.record as TapeRecord);
    pending.push(x.record as TapeRecord);
  };
  for (const y of outputs) visit(y);
  for (let record = pending.pop(); record !== undefined; record = pending.pop()) {
    order.push(record);
    for (const input of record.inputs) visit(input);
  }
  order.sort((a, b) => b.id - a.id);

  outputs.forEach((y, i) => {
    const g = cotangents[i];
    if (g !== null && reaches(y)) accumulate(y, g);
  });
  const leaves = new Set<TapeRecord>(variables.map((v) => v.record as TapeRecord));
  for (const record of order) {
    const slots = sums.get(record);
    if (slots === undefined || leaves.has(record)) continue;
    sums.delete(record);
    const filled = slots.map((g, i) => g ?? zerosLike(record.outputs[i]));
    const parts = record.pullback(filled, record, level);
    for (let i = 0; i < record.inputs.length; i++) {
      const part = parts[i];
      if (part !== null && part !== undefined && reaches(record.inputs[i])) accumulate(record.inputs[i], part());
    }
  }
  return variables.map((v) => sums.get(v.record as TapeRecord)?.[v.outputIndex] ?? null);
}
