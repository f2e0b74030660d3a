import { tensor, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { figureOf, figuresOf } from "../src/index.js";

describe("figures that a callback gives", () => {
  const refusal = async (given: unknown) => {
    const error: unknown = await figuresOf("descend", "evaluate", given as never).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ValueError);
    return (error as Error).message;
  };

  it("are awaited and copied, whatever numbers they are", async () => {
    const given = { accuracy: 0.9, loss: Number.NaN };
    const read = await figuresOf("descend", "evaluate", Promise.resolve(given));
    expect(read).toEqual(given);
    expect(read).not.toBe(given);
    expect(await figuresOf("descend", "evaluate", {})).toEqual({});
  });

  it("are refused by name where they would be recorded as nothing", async () => {
    for (const [given, called] of [
      [3, "3"],
      [undefined, "undefined"],
      [null, "null"],
      ["good", "good"],
      [[1, 2], "an array of 2"],
      [new Float64Array(2), "Float64Array [2]"],
      [new Map([["loss", 1]]), "an object"],
      [tensor(1), "a float32 tensor []"],
      [Promise.resolve(3), "3"],
    ] as const) {
      expect(await refusal(given)).toBe(
        `descend: evaluate gave ${called}; it must give an object of numbers, such as { accuracy: 0.9 }`,
      );
    }
    expect(await refusal({ loss: tensor(1, { dtype: "float64" }) })).toBe(
      "descend: evaluate gave a float64 tensor [] as loss; it must be a number: the item() of a tensor",
    );
    expect(await refusal({ loss: "1" })).toMatch(/evaluate gave 1 as loss; it must be a number$/);
  });

  it("of one number are that number", async () => {
    expect(await figureOf("descend", "evaluate", Promise.resolve(3))).toBe(3);
    await expect(figureOf("descend", "evaluate", { score: 1 } as never)).rejects.toThrow(
      /^descend: evaluate gave an object; it must give a number$/,
    );
  });
});
