import { inspect } from "node:util";
import { expect, test } from "vitest";
import { NonFiniteError, OffprintError, ShapeError } from "../src/index.js";

test("an error prints as its message and stack, without marks and states", () => {
  const shape = new ShapeError("add: shapes [2] and [3] do not broadcast");
  const state = { iterations: 2, history: [{ loss: 1 }], inner: new Float64Array(1000) };
  const diverged = new NonFiniteError("minimize: iteration 3: the loss is NaN", { state });
  for (const error of [shape, diverged]) {
    expect(inspect(error)).toBe(error.stack);
    expect(Object.keys(error).filter((key) => key !== "name")).toEqual([]);
  }
});

test("marks and states are there for programs to read", () => {
  const state = { iterations: 2 };
  const error = new NonFiniteError("diverged", { state, cause: new Error("deeper") });
  expect(error.state).toBe(state);
  expect("state" in new NonFiniteError("alone")).toBe(true);
  expect(error.cause).toBeInstanceOf(Error);
  for (const each of [error, new OffprintError("any")]) {
    expect(Symbol.for("@offprint/error") in each).toBe(true);
    expect(Reflect.get(each, Symbol.for("@offprint/error"))).toBe(true);
  }
});
