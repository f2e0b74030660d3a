import { random, tensor } from "@offprint/tensor-core";
import { gzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  readCifar10,
  readCsv,
  readIdx,
  readImage,
  readLibsvm,
  readMatrixMarket,
  readNpy,
  readNpz,
  readSafetensors,
  writeNpz,
  writePng,
  writePnm,
} from "../src/index.js";
import { files } from "./fixture-files.js";

const text = (content: string) => new TextEncoder().encode(content);
const noise = random.rng(1).uniform([20, 30, 3]);
const cases: [string, (bytes: Uint8Array) => unknown, Uint8Array][] = [
  ["npy", readNpy, files["npy/<f8"].bytes],
  ["npy, version 2", readNpy, files["npy/version2"].bytes],
  ["npz, stored", (b) => readNpz(b, ["weights"]), files["npz/stored"].bytes],
  ["npz, deflated", readNpz, writeNpz({ a: noise, b: tensor([1, 2]) })],
  ["safetensors", readSafetensors, files.safetensors.bytes],
  ["IDX", readIdx, files["idx/bytes"].bytes],
  ["IDX, gzip", readIdx, files["idx/gzip"].bytes],
  ["CSV", readCsv, text('a,b\n"x ""1""",2\nNA,3e4\n')],
  ["CSV, gzip", readCsv, gzipSync(text("a,b\n1,2\n".repeat(50)))],
  ["LIBSVM", readLibsvm, text("1 qid:1 1:0.5 7:2 # c\n-1 qid:2 3:1e3\n")],
  ["MatrixMarket", readMatrixMarket, text("%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n1 1 2.5\n3 1 -1\n")],
  ["CIFAR-10", readCifar10, new Uint8Array(3073).fill(7)],
  ["PNG", readImage, writePng(noise)],
  ["PNG, palette, interlaced", readImage, files["png/palette4-1"].bytes],
  ["PNM", readImage, writePnm(noise)],
  ["PNM, plain", readImage, text("P3 2 2 15 1 2 3 4 5 6 7 8 9 10 11 12")],
];

/** Far more than any of the files can need. */
const LARGEST_ALLOCATION = 1 << 24;

/** Fails the reader that allocates what a damaged header asks for. */
function guarded<C extends new (...args: never[]) => object>(constructor: C): C {
  return new Proxy(constructor, {
    construct(target, args: unknown[], self) {
      if (typeof args[0] === "number" && args[0] > LARGEST_ALLOCATION) throw new Error(`allocates ${args[0]}`);
      return Reflect.construct(target, args, self);
    },
  });
}

beforeAll(() => {
  vi.stubGlobal("Uint8Array", guarded(Uint8Array));
  vi.stubGlobal("Uint16Array", guarded(Uint16Array));
  vi.stubGlobal("Int32Array", guarded(Int32Array));
  vi.stubGlobal("Float32Array", guarded(Float32Array));
  vi.stubGlobal("Float64Array", guarded(Float64Array));
  vi.stubGlobal("ArrayBuffer", guarded(ArrayBuffer));
});
afterAll(() => {
  vi.unstubAllGlobals();
});

/** The reader either reads something or says in a typed error what is wrong. */
function outcome(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): "read" | "refused" {
  try {
    read(bytes);
    return "read";
  } catch (error) {
    const { name, message } = error as Error;
    if (name !== "FormatError" && name !== "UnsupportedError") throw error;
    expect(message.length).toBeGreaterThan(20);
    return "refused";
  }
}

describe("damaged files give typed errors and no huge allocation", () => {
  it.each(cases)("%s: every truncation", (name, read, bytes) => {
    expect(outcome(read, bytes)).toBe("read");
    const step = Math.max(1, Math.floor(bytes.length / 300));
    let refused = 0;
    let cuts = 0;
    for (let length = 0; length < bytes.length; length += step, cuts++) {
      if (outcome(read, bytes.slice(0, length)) === "refused") refused++;
    }
    const isText = /^(?:CSV|LIBSVM|PNM, plain)$/.test(name);
    // a shorter text may be a whole one, as is the first byte of a gzip file; binary formats notice every cut
    if (name === "CSV, gzip") expect(refused).toBe(cuts - 1);
    else if (!isText && name !== "MatrixMarket") expect(refused).toBe(cuts);
    else expect(refused).toBeGreaterThan(0);
  });

  it.each(cases)("%s: flipped bits, replaced and inserted bytes", (name, read, bytes) => {
    const rng = random.rng(name);
    const draw = (high: number) => rng.randint([], { high }).item();
    for (let run = 0; run < 500; run++) {
      const damaged = [...bytes];
      // headers are where damage matters most
      const place = () => draw(run % 2 === 0 ? Math.min(bytes.length, 150) : bytes.length);
      for (let k = draw(3); k >= 0; k--) {
        const kind = draw(4);
        const at = place();
        if (kind === 0) damaged[at] ^= 1 << draw(8);
        else if (kind === 1) damaged[at] = [0, 255, 127, 128, 57][draw(5)];
        else if (kind === 2) damaged.splice(at, 1 + draw(4));
        else damaged.splice(at, 0, draw(256));
      }
      outcome(
        read,
        Uint8Array.from(damaged, (v) => v ?? 0),
      );
    }
  });

  it.each(cases)("%s: random bytes behind a true beginning", (name, read, bytes) => {
    const rng = random.rng(`${name} tail`);
    for (let run = 0; run < 200; run++) {
      const tail = rng.randint([64], { high: 256 }).data();
      const keep = rng.randint([], { high: Math.min(bytes.length, 64) }).item();
      outcome(read, Uint8Array.from([...bytes.slice(0, keep), ...tail]));
    }
  });

  it("anything but bytes is refused", () => {
    expect(() => readNpy("x" as never)).toThrow(expect.objectContaining({ name: "FormatError" }));
    expect(() => readNpz(null as never)).toThrow(expect.objectContaining({ name: "FormatError" }));
  });
});
