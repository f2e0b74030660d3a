import {
  checkOptions,
  requireChoice,
  requireInteger,
  stack,
  type Tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import type { StateSpace } from "./state-space.js";

/** A function whose roots along the solution are found. @typeParam F - a function of time, state and parameters */
export interface OdeEvent<F = (t: number, y: Float64Array, parameters: never) => number> {
  /** Changes its sign where the event is. */
  readonly value: F;
  /** Which changes count (default `"both"`). */
  readonly direction?: "rising" | "falling" | "both";
  /** Whether the solve ends there; a number: at that occurrence (default false). */
  readonly terminal?: boolean | number;
}

/** An event that happened. */
export interface EventRecord<Y> {
  /** Which of the events. */
  readonly event: number;
  /** When. */
  readonly t: number;
  /** The state then. */
  readonly y: Y;
}

/** @internal An event, checked, over vectors. */
export interface WatchedEvent {
  readonly value: (t: Tensor, y: Tensor, parameters: unknown) => Tensor;
  readonly direction: "rising" | "falling" | "both";
  /** At which occurrence the solve ends; infinite for never. */
  readonly terminal: number;
}

/** @internal Checks events. @throws ValueError */
export function checkEvents(owner: string, events: unknown, space: StateSpace): WatchedEvent[] {
  if (events === undefined) return [];
  if (!Array.isArray(events))
    throw new ValueError(`${owner}: events is ${String(events)}; give an array of { value, direction, terminal }`);
  return events.map((event: OdeEvent<(...args: never[]) => unknown>, i) => {
    const what = `${owner}: events[${i}]`;
    checkOptions(what, event, ["value", "direction", "terminal"]);
    if (typeof event.value !== "function")
      throw new ValueError(`${what}.value is ${String(event.value)}; give a function (t, y)`);
    const { direction = "both", terminal = false } = event;
    requireChoice(what, "direction", direction, ["rising", "falling", "both"]);
    if (typeof terminal !== "boolean") requireInteger(what, "terminal", terminal, 1);
    return {
      value: space.scalar(event.value, `${what}.value`),
      direction,
      terminal: terminal === true ? 1 : terminal === false ? Number.POSITIVE_INFINITY : terminal,
    };
  });
}

/** @internal The values of all events: `[events]`. */
export function watchAll(events: readonly WatchedEvent[]) {
  return (t: Tensor, y: Tensor, parameters: unknown): Tensor =>
    events.length === 0 ? zeros([0], "float64") : stack(events.map((e) => e.value(t, y, parameters)));
}

/** @internal Whether a change of sign is one that counts. */
export function counts({ direction }: WatchedEvent, before: number, after: number): boolean {
  const changed = Math.sign(before) * after < 0 || (after === 0 && before !== 0);
  if (!changed || direction === "both") return changed;
  return direction === "rising" ? before < 0 : before > 0;
}
