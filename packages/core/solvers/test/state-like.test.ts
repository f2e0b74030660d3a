import { tensor, zeros } from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { requireStateLike } from "../src/index.js";

describe("requireStateLike", () => {
  const like = {
    x: zeros([2], "float64"),
    known: new Uint8Array(3),
    tables: [{ mean: zeros([2]) }],
    steps: 0,
    stuck: false,
    order: "first",
    best: null,
  };
  const refused = (change: object) => {
    let message = "";
    try {
      requireStateLike("descend", { ...like, ...change }, like);
    } catch (error) {
      message = (error as Error).message;
    }
    return message.replace(
      /^descend: resume is a state of another problem or method: |; give one of this problem$/g,
      "",
    );
  };

  it("takes a state of the same parts, whatever is null at first or has no name", () => {
    const best = { x: tensor([1, 2, 3]) };
    requireStateLike("descend", { ...like, best, steps: 7, x: tensor([1, 2]), more: 1 }, like);
  });

  it("names the part that is another, what it is and what it must be", () => {
    expect(refused({ x: 7 })).toBe("x is 7, not a float64 tensor [2]");
    expect(refused({ x: zeros([3], "float64") })).toBe("x is a float64 tensor [3], not a float64 tensor [2]");
    expect(refused({ x: zeros([2], "int32") })).toBe("x is an int32 tensor [2], not a float64 tensor [2]");
    expect(refused({ known: new Uint8Array(2) })).toBe("known is Uint8Array [2], not Uint8Array [3]");
    expect(refused({ known: [0, 1, 0] })).toBe("known is an array of 3, not Uint8Array [3]");
    expect(refused({ tables: [] })).toBe("tables is an array of 0, not an array of 1");
    expect(refused({ tables: [{}] })).toBe("tables.0.mean is undefined, not a float32 tensor [2]");
    expect(refused({ tables: [like.x] })).toBe("tables.0 is a float64 tensor [2], not an object");
    expect(refused({ steps: Number.NaN })).toBe("steps is NaN, not a finite number");
    expect(refused({ steps: "3" })).toBe("steps is 3, not a finite number");
    expect(refused({ stuck: null })).toBe("stuck is null, not a boolean");
    expect(refused({ order: like })).toBe("order is an object, not a string");
  });

  it("refuses what is no state at all", () => {
    expect(() => requireStateLike("descend", 3, like)).toThrow(errorLike("ValueError", /it is 3, not an object/));
    expect(() => requireStateLike("descend", like, undefined)).toThrow(errorLike("ValueError", /like is undefined/));
  });
});
