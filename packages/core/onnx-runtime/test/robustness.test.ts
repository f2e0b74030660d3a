import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  add,
  DeviceError,
  DTypeError,
  FormatError,
  grad,
  IndexError,
  jit,
  linalg,
  matmul,
  mul,
  ShapeError,
  sin,
  special,
  sum,
  type Tensor,
  take,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoadedModel, loadModel, type OnnxRuntime, onnxRuntime, toOnnx } from "../src/index.js";
import { child } from "./child-process.js";

let backend: OnnxRuntime;
let folder: string;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "offprint-onnx-"));
});
afterAll(async () => {
  await backend.release();
  rmSync(folder, { recursive: true });
});

describe("functions that cannot be compiled", () => {
  it("name the primitive, the element type, the device and the remedy", async () => {
    const x = tensor([1, 2]);
    const rejection = expect(jit((v: Tensor) => special.lgamma(v), { backend })(x)).rejects;
    await rejection.toThrow(UnsupportedError);
    await rejection.toThrow(/^lgamma: float32 cannot be compiled for cpu: .*Run it on the host \(no backend\)/);
    await expect(jit((a: Tensor) => linalg.eigh(a).values, { backend })(tensor([[1]]))).rejects.toThrow(/^eigh: /);
    expect(() => toOnnx((v: Tensor) => special.lgamma(v), x)).toThrow(UnsupportedError);
  });
  it("fail each time, not with a stale promise, and compile once they can", async () => {
    let broken = true;
    const f = jit((v: Tensor) => (broken ? special.lgamma(v) : sin(v)), { backend });
    await expect(f(tensor(1))).rejects.toThrow(UnsupportedError);
    await expect(f(tensor(1))).rejects.toThrow(UnsupportedError);
    broken = false;
    expect((await f(tensor(0))).item()).toBe(0);
  });
});

describe("values that do not fit", () => {
  it("an index outside its axis is an IndexError", async () => {
    const f = jit((x: Tensor, i: Tensor) => take(x, i), { backend });
    const x = tensor([1, 2, 3]);
    await expect(f(x, tensor(new Int32Array([5])))).rejects.toThrow(IndexError);
    expect((await f(x, tensor(new Int32Array([2])))).toArray()).toEqual([3]);
  });
});

describe("devices", () => {
  it("an unknown one is a DeviceError that lists those there are", async () => {
    await expect(onnxRuntime({ device: "abacus" })).rejects.toThrow(
      /device "abacus" does not run here: the installed binding has no device "abacus"; it has .*cpu/,
    );
    await expect(onnxRuntime({ device: "abacus" })).rejects.toThrow(DeviceError);
  });
  it("threads must be a positive integer", async () => {
    for (const threads of [0, -1, 1.5, Number.NaN]) {
      await expect(onnxRuntime({ threads })).rejects.toThrow(ValueError);
    }
  });
  it("cuda without its libraries is a DeviceError with the remedy, and auto says in one line that it is absent", async () => {
    const { code, out, err } = await child(
      `
      import { onnxRuntime } from "@offprint/onnx-runtime";
      const failure = await onnxRuntime({ device: "cuda" }).catch((error) => error);
      const auto = await onnxRuntime({ device: "auto" });
      console.log(JSON.stringify([failure.name, failure.message ?? "", auto.device, auto.note ?? ""]));
      process.exit(0);
    `,
      { env: { VK_DRIVER_FILES: "/absent", VK_ICD_FILENAMES: "/absent", CUDA_VISIBLE_DEVICES: "" } },
    );
    expect(code).toBe(0);
    // The error is thrown, not printed as well.
    expect(err).not.toMatch(/onnxruntime/i);
    const [name, message, device, note] = JSON.parse(out);
    expect(device).toBe("cpu");
    if (name === "DeviceError") {
      expect(message).toMatch(/device "cuda" does not run here: install the CUDA 12 .*use device "webgpu" or "cpu"/);
      expect(note).toBe("cuda and webgpu not available here: running on cpu");
    }
  });
  it("webgpu without an adapter is a DeviceError that names the drivers", async () => {
    const { code, out } = await child(
      `
      import { onnxRuntime } from "@offprint/onnx-runtime";
      const failure = await onnxRuntime({ device: "webgpu" }).catch((error) => error);
      console.log(failure.name + " " + failure.message);
      process.exit(0);
    `,
      { env: { VK_DRIVER_FILES: "/absent", VK_ICD_FILENAMES: "/absent" } },
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^DeviceError .*install a Vulkan driver \(Debian: mesa-vulkan-drivers and libvulkan1/);
  });
});

it("without the binding everything says how to install it", async () => {
  const hooks = `data:text/javascript,${encodeURIComponent(`
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(
      "export async function resolve(name, context, next) {" +
      " if (name === 'onnxruntime-node') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });" +
      " return next(name, context); }"));
  `)}`;
  const { code, out } = await child(
    `
    import { MissingDependencyError, tensor, sin } from "@offprint/tensor-core";
    import { devices, loadModel, onnxRuntime, toOnnx } from "@offprint/onnx-runtime";
    const bytes = toOnnx((x) => sin(x), tensor(1));
    for (const f of [() => onnxRuntime(), () => onnxRuntime({ device: "auto" }), devices, () => loadModel(bytes)]) {
      const error = await f().catch((e) => e);
      console.log(error instanceof MissingDependencyError, error.message);
    }
    console.log(bytes.length > 0);
    `,
    { flags: ["--import", hooks] },
  );
  const lines = out.trim().split("\n");
  expect(code).toBe(0);
  expect(lines).toHaveLength(5);
  for (const line of lines.slice(0, 4)) {
    expect(line).toMatch(
      /^true onnxRuntime: onnxruntime-node is not installed .*ONNXRUNTIME_NODE_INSTALL=skip npm install/,
    );
  }
  expect(lines[4]).toBe("true");
});

describe("after release", () => {
  it("a compiled function compiles again, an executable and a model refuse", async () => {
    const f = jit((x: Tensor) => mul(x, 2), { backend });
    expect((await f(tensor(3))).item()).toBe(6);
    await f.release();
    await f.release();
    expect((await f(tensor(4))).item()).toBe(8);
    const model = await loadModel(toOnnx((x: Tensor) => sin(x), tensor(0)));
    await model.release();
    await model.release();
    await expect(model.run({ input0: 0 })).rejects.toThrow(DeviceError);
    await expect(model.run({ input0: 0 })).rejects.toThrow(/was released/);
  });
  it("of the backend, its functions refuse", async () => {
    const own = await onnxRuntime();
    const f = jit((x: Tensor) => mul(x, 2), { backend: own });
    await f(tensor(1));
    await own.release();
    await expect(f(tensor(1))).rejects.toThrow(DeviceError);
  });
  it("runs under way end with their results", async () => {
    const f = jit((x: Tensor) => matmul(x, x), { backend });
    const x = tensor(new Float32Array(64 * 64).fill(1), { shape: [64, 64] });
    await f(x);
    const runs = Array.from({ length: 5 }, () => f(x));
    // The calls reach the session a few turns later than they were made.
    await new Promise(setImmediate);
    await f.release();
    const outcomes = await Promise.allSettled(runs);
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") expect(outcome.value.data()[0]).toBe(64);
      else expect(outcome.reason).toBeInstanceOf(DeviceError);
    }
  });
});

describe("files", () => {
  const step = (w: Tensor, x: Tensor) => add(w, grad((v: Tensor) => sum(sin(matmul(x, v))))(w) as Tensor);
  const bytes = () => toOnnx(step, { shape: [2, 2], dtype: "float32" }, { shape: [3, 2], dtype: "float32" });

  it("empty, missing and foreign ones are refused", async () => {
    await expect(loadModel(new Uint8Array())).rejects.toThrow(FormatError);
    await expect(loadModel(new TextEncoder().encode("this is no model"))).rejects.toThrow(FormatError);
    await expect(loadModel(join(folder, "absent.onnx"))).rejects.toThrow(ValueError);
    await expect(loadModel(folder)).rejects.toThrow(ValueError);
    const empty = join(folder, "empty.onnx");
    writeFileSync(empty, "");
    await expect(loadModel(empty)).rejects.toThrow(FormatError);
  });

  it("cut at any length is a FormatError", async () => {
    const whole = bytes();
    for (let length = 1; length < whole.length; length += 7) {
      const failure = await loadModel(whole.subarray(0, length)).catch((error) => error);
      expect(failure, `${length} bytes`).toBeInstanceOf(FormatError);
    }
  });

  it("with flipped bits they load or fail with a typed error, and never end the process", async () => {
    const path = join(folder, "whole.onnx");
    writeFileSync(path, bytes());
    const { code, signal, out } = await child(`
      import { readFileSync } from "node:fs";
      import { OffprintError, tensor } from "@offprint/tensor-core";
      import { loadModel } from "@offprint/onnx-runtime";
      const whole = new Uint8Array(readFileSync(${JSON.stringify(path)}));
      let untyped = 0, tried = 0;
      for (let i = 0; i < whole.length * 8; i += 11, tried++) {
        const flipped = whole.slice();
        flipped[i >> 3] ^= 1 << (i & 7);
        try {
          const model = await loadModel(flipped);
          const feeds = model.inputs.map(({ name, shape }) => [name, tensor(new Float32Array(6), { shape: shape.map(Number) })]);
          await model.run(Object.fromEntries(feeds)).finally(() => model.release());
        } catch (error) {
          if (!(error instanceof OffprintError)) { untyped++; console.log(i, error); }
        }
      }
      console.log(tried, untyped);
      process.exit(0);
    `);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const [tried, untyped] = (out.trim().split("\n").at(-1) as string).split(" ").map(Number);
    expect(tried).toBeGreaterThan(200);
    expect(untyped, out).toBe(0);
  });
});

describe("feeds of a loaded model", () => {
  let model: LoadedModel;
  beforeAll(async () => {
    const f = (x: Tensor, i: Tensor) => take(x, i);
    model = await loadModel(toOnnx(f, { shape: [3, 2], dtype: "float32" }, { shape: [2], dtype: "int32" }));
  });
  afterAll(() => model.release());
  const x = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  const i = tensor(new Int32Array([2, 0]));

  it("that fit are run", async () => {
    expect(model.inputs).toEqual([
      { name: "input0", type: "float32", shape: [3, 2] },
      { name: "input1", type: "int32", shape: [2] },
    ]);
    const { output0 } = await model.run({ input0: x, input1: i });
    expect(output0.toArray()).toEqual([
      [5, 6],
      [1, 2],
    ]);
    expect((await model.run({ input0: tensor(x, { dtype: "float64" }), input1: i })).output0.dtype).toBe("float32");
  });
  it("missing, unknown, of another shape or type are refused by name", async () => {
    await expect(model.run({ input0: x })).rejects.toThrow(
      /input "input1" is missing; the model takes input0: float32\[3, 2\], input1: int32\[2\]/,
    );
    await expect(model.run({ input0: x })).rejects.toThrow(ValueError);
    await expect(model.run({ input0: x, input1: i, extra: 1 })).rejects.toThrow(/no input "extra"/);
    await expect(model.run({ input0: [[1, 2]], input1: i })).rejects.toThrow(ShapeError);
    await expect(model.run({ input0: x, input1: tensor([0, 1]) })).rejects.toThrow(DTypeError);
    await expect(model.run({ input0: x, input1: tensor(new Int32Array([7, 0])) })).rejects.toThrow(IndexError);
  });
});

describe("what is held", () => {
  /**
   * Counts what a program leaves behind: sessions that are open, and objects that nothing but a leak can keep alive once
   * everything was collected. Neither depends on what the engine or the native library reserve for themselves.
   */
  const counting = `
    import { jit } from "@offprint/tensor-core";
    import { onnxRuntime } from "@offprint/onnx-runtime";
    import { InferenceSession } from "onnxruntime-node";
    import { Session } from ${JSON.stringify(new URL("../src/session/session.ts", import.meta.url).href)};
    import { smallMlp } from ${JSON.stringify(new URL("./models.ts", import.meta.url).href)};
    let open = 0;
    let seen = [];
    const watch = (value) => { seen.push(new WeakRef(value)); return value; };
    const { create } = InferenceSession;
    InferenceSession.create = async (...given) => {
      const inner = await create.apply(InferenceSession, given);
      open++;
      watch(inner);
      const release = inner.release;
      inner.release = () => { open--; return release.call(inner); };
      return inner;
    };
    const { run } = Session.prototype;
    Session.prototype.run = async function (feeds) {
      const results = await run.call(this, feeds);
      for (const value of [feeds, results, ...Object.values(feeds), ...Object.values(results)]) watch(value);
      return results;
    };
    // What a promise has just given is kept until the present turn ends.
    const alive = async () => {
      for (let k = 0; k < 3; k++) {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
      }
      return new Set(seen.map((each) => each.deref()).filter((value) => value !== undefined)).size;
    };
    const report = (figures) => { console.log(JSON.stringify(figures)); process.exit(0); };
  `;
  const counted = async (program: string) => {
    const { code, out, err } = await child(`${counting}\n${program}`, { flags: ["--expose-gc"] });
    expect({ code, err }).toEqual({ code: 0, err: expect.any(String) });
    return JSON.parse(out.trim().split("\n").at(-1) as string);
  };

  it("does not grow over 10,000 training steps", async () => {
    const { before, after, open, watched } = await counted(`
      const { params, step, data } = smallMlp();
      const compiled = jit(step, { backend: await onnxRuntime() });
      let p = params;
      const steps = async (count) => { for (let i = 0; i < count; i++) p = watch(await compiled(p, ...data)); };
      await steps(10);
      const before = await alive();
      await steps(10000);
      report({ before, after: await alive(), open, watched: seen.length });
    `);
    expect(watched).toBeGreaterThan(40_000);
    expect(before).toBeGreaterThan(0);
    expect(after).toBe(before);
    expect(open).toBe(1);
  });

  it("is not the results of runs that nobody uses any more: collections of young objects free them", async () => {
    // Not by what counts objects: its weak references last until a full collection.
    const program = `
      import { jit, ones } from "@offprint/tensor-core";
      import { onnxRuntime } from "@offprint/onnx-runtime";
      const f = jit((x) => x.mul(0.5), { backend: await onnxRuntime() });
      let x = ones([10000]);
      const collections = async (count) => {
        for (let i = 0; i < count; i++) {
          for (let k = 0; k < 2; k++) x = await f(x);
          await new Promise((resolve) => setImmediate(resolve));
          gc({ type: "minor" });
        }
        return process.memoryUsage().external;
      };
      const before = await collections(10);
      console.log(((await collections(100)) - before) / x.data().byteLength);
      process.exit(0);
    `;
    const { code, out } = await child(program, { flags: ["--expose-gc"] });
    expect(code).toBe(0);
    expect(Number(out)).toBeLessThan(20);
  });

  it("is nothing after cycles of compiling and releasing, 200 at a time", async () => {
    const { before, after, open, watched } = await counted(`
      const { params, step, data } = smallMlp([64, 256, 10]);
      const backend = await onnxRuntime();
      const cycles = async (count) => {
        for (let i = 0; i < count; i++) {
          const compiled = watch(jit(step, { backend }));
          await compiled(params, ...data);
          await compiled.release();
        }
      };
      await cycles(2);
      const before = await alive();
      await cycles(200);
      report({ before, after: await alive(), open, watched: seen.length });
    `);
    expect(watched).toBeGreaterThan(1000);
    expect(after).toBe(before);
    expect(open).toBe(0);
  });
});
