import { tensor } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCifar10, readCifar100, readImage, writePng, writePnm } from "../src/index.js";
import { files, named } from "./fixture-files.js";

const formatError = (message: RegExp) =>
  expect.objectContaining({ name: "FormatError", message: expect.stringMatching(message), offset: expect.any(Number) });
const latin1 = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe("PNG", () => {
  it.each(named("png/"))("reads %s", (name) => {
    const { bytes, shape, values } = files[name];
    const x = readImage(bytes);
    expect(x.shape).toEqual(shape);
    expect(x.data()).toEqual(Float32Array.from(values as number[]));
  });

  it("reads back what it wrote, 8 and 16 bits, 1 to 4 channels, both layouts", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 })),
        fc.constantFrom(8, 16),
        fc.constantFrom("HWC", "CHW"),
        fc.integer({ min: 0, max: 65535 }),
        ([h, w, c], bits, layout, seed) => {
          const largest = 2 ** bits - 1;
          const data = Float32Array.from(
            { length: h * w * c },
            (_, i) => ((seed + i * 7919) % (largest + 1)) / largest,
          );
          const x = tensor(data, { shape: layout === "HWC" ? [h, w, c] : [c, h, w] });
          const back = readImage(writePng(x, { bits: bits as 8, layout: layout as "HWC" }), {
            layout: layout as "HWC",
          });
          expect(back.toArray()).toEqual(x.toArray());
        },
      ),
    );
  });

  it("clips, takes matrices, and changes the number of channels", () => {
    const grey = readImage(writePng([[-1, 0.5, 2]]));
    expect(grey.shape).toEqual([1, 3, 1]);
    expect([...grey.data()]).toEqual([0, Math.fround(128 / 255), 1]);
    expect(readImage(writePng([[1, 0]]), { channels: 3 }).toArray()).toEqual([
      [
        [1, 1, 1],
        [0, 0, 0],
      ],
    ]);
    const colour = writePng([[[1, 0, 0, 0.5]]]);
    expect(readImage(colour, { channels: 3 }).toArray()).toEqual([[[1, 0, 0]]]);
    expect(readImage(colour, { channels: 1 }).item()).toBeCloseTo(0.299, 6);
  });

  it("says what is wrong", () => {
    const shape = expect.objectContaining({ name: "ShapeError" });
    expect(() => writePng([1, 2])).toThrow(shape);
    expect(() => writePng(tensor(new Float32Array(20), { shape: [2, 2, 5] }))).toThrow(shape);
    expect(() => writePnm(tensor(new Float32Array(8), { shape: [2, 2, 2] }))).toThrow(shape);
    const unsupported = (text: RegExp) =>
      expect.objectContaining({ name: "UnsupportedError", message: expect.stringMatching(text) });
    expect(() => readImage(new Uint8Array([0xff, 0xd8, 0xff]))).toThrow(unsupported(/JPEG/));
    expect(() => readImage(latin1("GIF89a"))).toThrow(unsupported(/GIF/));
    expect(() => readImage(latin1("hello"))).toThrow(formatError(/neither as PNG nor as PNM/));
    const png = writePng([[0, 1]]);
    expect(() => readImage(png.slice(0, -20))).toThrow(formatError(/truncated/));
    const damaged = png.slice();
    damaged[18] ^= 1;
    expect(() => readImage(damaged)).toThrow(formatError(/checksum/));
  });
});

describe("PNM", () => {
  it.each([
    ["P1\n# c\n3 2\n101\n0 1 0", [2, 3, 1], [0, 1, 0, 1, 0, 1]],
    ["P2 2 1 4\n 0 3", [1, 2, 1], [0, 0.75]],
    ["P3 1 1 255 255 0 51", [1, 1, 3], [1, 0, 0.2]],
    ["P4 3 2\n\xa0\x40", [2, 3, 1], [0, 1, 0, 1, 0, 1]],
    ["P5 2 1 255\n\x00\xff", [1, 2, 1], [0, 1]],
    ["P5 1 1 65535\n\x80\x00", [1, 1, 1], [32768 / 65535]],
    ["P6\n1 1 # x\n255\n\x00\xff\x33", [1, 1, 3], [0, 1, 0.2]],
  ])("reads %j", (text, shape, values) => {
    const x = readImage(latin1(text));
    expect(x.shape).toEqual(shape);
    expect(x.data()).toEqual(Float32Array.from(values));
  });

  it("reads back what it wrote", () => {
    const x = tensor(
      Float32Array.from({ length: 24 }, (_, i) => i / 255),
      { shape: [2, 4, 3] },
    );
    expect(readImage(writePnm(x)).toArray()).toEqual(x.toArray());
    expect(readImage(writePnm([[0.25, 1]], { bits: 16 })).data()[1]).toBe(1);
  });

  it.each([
    ["P5 2 2 255\nabc", /truncated/],
    ["P5 99999 99999 255\nabc", /needs 9999800001 bytes/],
    ["P5 0 2 255\n", /positive/],
    ["P5 1 1 70000\n ", /maximum/],
    ["P2 1 1 4 9", /exceeds/],
    ["P1 1 1 2", /neither 0 nor 1/],
    ["P6", /width is missing/],
  ])("%j is a FormatError", (text, message) => {
    expect(() => readImage(latin1(text))).toThrow(formatError(message));
  });
});

describe("CIFAR", () => {
  const record = (labels: number[]) => Uint8Array.from([...labels, ...Array.from({ length: 3072 }, (_, i) => i % 256)]);
  const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((p) => [...p]));

  it("reads planes of red, green and blue", () => {
    const { inputs, targets, classNames } = readCifar10(join(record([3]), record([9])));
    expect(inputs.shape).toEqual([2, 3, 32, 32]);
    expect(targets.toArray()).toEqual([3, 9]);
    expect(classNames?.[3]).toBe("cat");
    expect(inputs.data()[3072 + 1024 + 5]).toBe(Math.fround(5 / 255));
  });

  it("reads fine or coarse labels of CIFAR-100", () => {
    const file = join(record([19, 99]), record([0, 1]));
    expect(readCifar100(file).targets.toArray()).toEqual([99, 1]);
    expect(readCifar100(file, { labels: "coarse" }).targets.toArray()).toEqual([19, 0]);
  });

  it("says what is wrong", () => {
    expect(() => readCifar10(record([3]).slice(1))).toThrow(formatError(/whole records of 3073/));
    expect(() => readCifar10(record([10]))).toThrow(formatError(/label 10 of image 0/));
    expect(() => readCifar10(new Uint8Array(0))).toThrow(formatError(/whole records/));
  });
});
