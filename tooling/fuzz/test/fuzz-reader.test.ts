import { describe, expect, it } from "vitest";
import { fuzzReader, mutations } from "../src/index.js";

/** As tensor-core's: errors are told apart by their names. */
class FormatError extends Error {
  override readonly name = "FormatError";
}

const file = new TextEncoder().encode("size 3\n1 2 3\n");
const fuzz = (read: (bytes: Uint8Array) => unknown) => () => fuzzReader({ name: "a reader", read, file }, 200);
const refuse = () => {
  throw new FormatError("the file is damaged beyond repair");
};
const isWhole = (bytes: Uint8Array) => Buffer.compare(bytes, file) === 0;

describe("fuzzReader", () => {
  it("counts what is read and what is refused", () => {
    expect(fuzz(() => 1)()).toEqual({ read: 200, refused: 0 });
    const { read, refused } = fuzz((bytes) => (isWhole(bytes) ? 1 : refuse()))();
    expect(read + refused).toBe(200);
    expect(refused).toBeGreaterThan(190);
  });

  it("fails a reader that throws an error of another kind, or that says nothing", () => {
    const thrower = (error: Error) => (bytes: Uint8Array) => {
      if (!isWhole(bytes)) throw error;
    };
    expect(fuzz(thrower(new TypeError("x is undefined in the reader")))).toThrow(
      /a reader, damaged file \d+: TypeError/,
    );
    expect(fuzz(thrower(new FormatError("damaged")))).toThrow(/says too little/);
    expect(fuzz(refuse)).toThrow(/damaged file -1|whole file is not read/);
  });

  it("fails a reader that allocates what a header asks for", () => {
    for (const allocate of [(n: number) => new Float64Array(n), (n: number) => Int32Array.from({ length: n })]) {
      const believe = (bytes: Uint8Array) => {
        const size = Number(/\d+/.exec(new TextDecoder().decode(bytes))?.[0] ?? 0);
        if (size < 2 ** 31) allocate(size);
      };
      expect(fuzz((bytes) => believe(isWhole(bytes) ? bytes : new TextEncoder().encode("999999999")))).toThrow(
        /TooMuchMemory/,
      );
    }
    expect(new Float64Array(1)).toBeInstanceOf(Float64Array);
  });
});

describe("mutations", () => {
  it("are the same for the same seed, of which a shorter run has the first", () => {
    const long = [...mutations(file, "seed", 50)];
    expect([...mutations(file, "seed", 10)]).toEqual(long.slice(0, 10));
    expect([...mutations(file, "other", 50)]).not.toEqual(long);
    expect(new TextDecoder().decode(file)).toBe("size 3\n1 2 3\n");
    expect(() => [...mutations(new Uint8Array(0), "empty", 500)]).not.toThrow();
  });
});
