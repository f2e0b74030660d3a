import { afterEach, expect, it } from "vitest";
import { sourceHash } from "../build-kernels.mjs";
import { kernelMode, map, ready, setKernels } from "../src/kernels/index.js";
import { sourceHash as transformsBuiltFrom } from "../src/kernels/wasm/fft-bytes.js";
import { sourceHash as builtFrom } from "../src/kernels/wasm/wasm-bytes.js";

afterEach(() => setKernels("auto"));

it("the committed WebAssembly belongs to the present AssemblyScript sources", () => {
  expect(builtFrom, "run `node build-kernels.mjs`").toBe(sourceHash());
  expect(transformsBuiltFrom, "run `node build-kernels.mjs`").toBe(sourceHash());
});

it("loads at once where WebAssembly SIMD exists, and can be switched off", async () => {
  expect(kernelMode()).toBe("wasm");
  expect(await ready()).toBe(true);
  setKernels("js");
  expect(kernelMode()).toBe("js");
  const x = Float64Array.of(1);
  map("exp", x, x);
  expect(x[0]).toBe(Math.exp(1));
});

it("falls back to plain JavaScript where compiling is refused, until ready", async () => {
  const { Module } = WebAssembly;
  const { vi } = await import("vitest");
  vi.resetModules();
  WebAssembly.Module = class {
    constructor() {
      throw new WebAssembly.CompileError("refused");
    }
  } as unknown as typeof Module;
  try {
    const kernels = await import("../src/kernels/index.js");
    expect(kernels.kernelMode()).toBe("js");
    expect(() => kernels.setKernels("wasm")).toThrow(/ready\(\)/);
    const x = Float64Array.of(0);
    kernels.map("exp", x, x);
    expect(x[0]).toBe(1);
    expect(await kernels.ready()).toBe(true);
    expect(kernels.kernelMode()).toBe("wasm");
  } finally {
    WebAssembly.Module = Module;
  }
});
