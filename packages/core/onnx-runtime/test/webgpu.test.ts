import {
  add,
  type ConvOptions,
  conv,
  cumSum,
  DeviceError,
  DTypeError,
  grad,
  jit,
  less,
  matmul,
  mean,
  mul,
  pow,
  random,
  scan,
  sin,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
  trace,
  UnsupportedError,
} from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadBinding } from "../src/binding/node.js";
import { devices, hostOnlyPrimitives, type OnnxRuntime, onnxRuntime } from "../src/index.js";
import { lowerGraph } from "../src/lowering/index.js";
import { encodeModel } from "../src/model/graph-builder.js";
import { Session } from "../src/session/session.js";
import { type Cell, failures } from "./agreement/agreement.js";
import { broadcastCells, type PrimitiveCell, tableCells } from "./agreement/cells.js";
import { randomCells } from "./agreement/random-cells.js";
import { child } from "./child-process.js";
import { type Params, smallMlp } from "./models.js";

// Hundreds of shaders run once here: Mesa's software driver spends less on compiling them, but for steps of training.
process.env["GALLIVM_PERF"] = "nopt";
process.env["LP_NATIVE_VECTOR_WIDTH"] = "128";
const gpu = (await devices()).some(({ device, runs }) => device === "webgpu" && runs);

/** Compiles for the GPU alone; throws where a node would run on the CPU. */
async function compileStrictly(f: (...args: any[]) => unknown, ...inputs: unknown[]): Promise<void> {
  const bytes = encodeModel(lowerGraph(trace(f, ...inputs), { device: "webgpu" }), "strict");
  const settings = { device: "webgpu", threads: 1, strict: true };
  await (await Session.create(await loadBinding("webgpu"), bytes, settings, "compile")).release();
}

describe.skipIf(!gpu)("webgpu [needs Vulkan: install mesa-vulkan-drivers and libvulkan1]", () => {
  let backend: OnnxRuntime;
  beforeAll(async () => {
    backend = await onnxRuntime({ device: "webgpu" });
  });
  afterAll(() => backend.release());

  const onGpu = (cells: PrimitiveCell[]): Cell[] =>
    cells
      .filter((cell) => !(cell.primitive in hostOnlyPrimitives) && !cell.label.includes("float64"))
      .map((cell) => ({ ...cell, tolerance: { float32: { relative: 1e-4, absolute: 3e-5 } } }));

  it("gives what the host gives, in every case of tensor-core's table", async () => {
    expect(await failures(backend, onGpu(tableCells("float32", 11)))).toEqual([]);
  });
  it("gives what the host gives where operands are broadcast", async () => {
    expect(await failures(backend, onGpu(broadcastCells("float32", 12, 3)))).toEqual([]);
  });
  it("gives what the host gives with parameters and shapes drawn at random", async () => {
    expect(await failures(backend, onGpu(randomCells("float32", 13, 8)))).toEqual([]);
  });

  it("gives what the host gives where the engine's own operators do not", async () => {
    const rng = random.rng(5);
    const cell = (label: string, f: Cell["f"], ...shapes: number[][]): Cell => ({
      label,
      f,
      inputs: shapes.map((shape) => rng.uniform(shape, { low: 0.5, high: 2 })),
      tolerance: { float32: { relative: 1e-4, absolute: 3e-5 } },
    });
    const convolution = (label: string, options: ConvOptions, x: number[], w: number[]) =>
      cell(
        `convolution ${label}`,
        (a, b) => {
          const f = (v: Tensor, u: Tensor) => sum(square(conv(v, u, options)));
          const gradients = grad(([v, u]: Tensor[]) => f(v, u))([a, b]) as Tensor[];
          return [conv(a, b, options), ...gradients];
        },
        x,
        w,
      );
    const backward = (start: number, step: number) =>
      cell(
        `from ${start} by ${step}`,
        (x) => [slice(x, [{ start, step }]), slice(less(x, 1), [{ start, step }])],
        [5, 2],
      );
    const cells = [
      cell("powers of a column", (x, y) => [pow(x, y), pow(y, x), pow(x, 2.5)], [3, 4], [3, 1]),
      convolution("over three axes in groups", { groups: 2 }, [1, 4, 3, 3, 3], [2, 2, 2, 2, 2]),
      convolution("from two channels of a group to one", { groups: 2 }, [1, 2, 4], [4, 1, 2]),
      convolution("of single places, padded behind", { padding: [[0, 1]] }, [1, 2, 4], [2, 2, 1]),
      convolution(
        "of the whole input, padded behind",
        {
          padding: [
            [0, 1],
            [0, 2],
          ],
        },
        [1, 2, 2, 3],
        [2, 2, 2, 3],
      ),
      ...[backward(2, -1), backward(3, -1), backward(3, -2), backward(0, -1)],
      cell("long sums", (x) => [sum(x), cumSum(x), mean(x)], [10_007]),
    ];
    expect(await failures(backend, cells, 1)).toEqual([]);
  });

  it("runs a training step wholly on the GPU", async () => {
    const { params, step, data } = smallMlp();
    await compileStrictly(step, params, ...data);
  });
  it("needs the CPU only for the k largest and for loops, as far as floats go", async () => {
    const refused = new Set<string>();
    const seen = new Set<string>();
    for (const cell of onGpu([...tableCells("float32", 1), ...randomCells("float32", 2, 2)]) as PrimitiveCell[]) {
      const key = `${cell.primitive} ${cell.inputs.map((x) => x.dtype)}`;
      if (seen.has(key) || cell.inputs[0].dtype !== "float32" || cell.inputs.some((x) => x.size === 0)) continue;
      seen.add(key);
      await compileStrictly(cell.f, ...cell.inputs).catch(() => refused.add(cell.primitive));
    }
    const loops = ["cholesky", "choleskyInverse", "expm", "lu", "qr", "slogdet", "solve", "triangularSolve"];
    expect([...refused].sort()).toEqual([...loops, "topKIndices"].sort());
  });
  it("runs loops, with the CPU's help", async () => {
    const f = (s: Tensor, xs: Tensor) =>
      scan((c: Tensor, x: Tensor): [Tensor, Tensor] => [sin(add(c, x)), mul(c, x)], s, xs);
    const inputs = [
      tensor([0.1, 0.2]),
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    ];
    const compiled = jit(f, { backend });
    const [last, rows] = await compiled(inputs[0], inputs[1]);
    const [eagerLast, eagerRows] = f(inputs[0], inputs[1]);
    expectNear(await last.host(), eagerLast);
    expectNear(await rows.host(), eagerRows);
  });

  it("has no float64", async () => {
    const x = tensor([1, 2], { dtype: "float64" });
    await expect(jit((v: Tensor) => sin(v), { backend })(x)).rejects.toThrow(DTypeError);
    const inside = jit((v: Tensor) => sum(v.cast("float64")), { backend });
    await expect(inside(tensor([1, 2]))).rejects.toThrow(/webgpu has no float64; cast .* or use device "cpu"/);
  });

  describe("state", () => {
    it("stays on the device through training, and is downloaded when asked for", async () => {
      const { params, step, data } = smallMlp();
      const compiled = jit(step, { backend });
      let resident: Params = params;
      let eager: Params = params;
      for (let i = 0; i < 10; i++) {
        const before = resident;
        resident = await compiled(resident, ...data);
        eager = step(eager, ...data);
        if (i > 0) for (const x of Object.values(before)) x.dispose();
      }
      for (const [name, x] of Object.entries(resident)) {
        expect(x.storage).toMatchObject({ kind: "device", device: "webgpu" });
        expect(() => x.data()).toThrow(UnsupportedError);
        expectNear(await x.host(), eager[name]);
        // Downloading leaves it where it is.
        expectNear(await x.host(), eager[name]);
      }
    });
    it("goes from one compiled function to another, and not to another device", async () => {
      const double = jit((x: Tensor) => mul(x, 2), { backend });
      const square = jit((x: Tensor) => matmul(x, x), { backend });
      const y = await square(
        await double(
          tensor([
            [1, 2],
            [3, 4],
          ]),
        ),
      );
      expect((await y.host()).toArray()).toEqual([
        [28, 40],
        [60, 88],
      ]);
      const cpu = await onnxRuntime();
      await expect(jit((x: Tensor) => mul(x, 2), { backend: cpu })(y)).rejects.toThrow(
        /an input is on webgpu, this function runs on cpu; download it with "await x.host\(\)"/,
      );
      await expect(jit((x: Tensor) => mul(x, 2), { backend: cpu })(y)).rejects.toThrow(DeviceError);
      await cpu.release();
      expect(() => add(y, 1)).toThrow(UnsupportedError);
    });
    it("is refused after dispose, which may be called twice", async () => {
      const double = jit((x: Tensor) => mul(x, 2), { backend });
      const y = await double(tensor([1, 2]));
      y.dispose();
      y.dispose();
      await expect(y.host()).rejects.toThrow(DeviceError);
      await expect(double(y)).rejects.toThrow(/freed by dispose/);
    });
    it("outlives the function that made it", async () => {
      const double = jit((x: Tensor) => mul(x, 2), { backend });
      const y = await double(tensor([1, 2]));
      await double.release();
      expect((await y.host()).toArray()).toEqual([2, 4]);
    });
    it("of no elements is no trouble", async () => {
      const f = jit((x: Tensor) => ({ empty: mul(x, 2), total: sum(x) }), { backend });
      const { empty, total } = await f(tensor(new Float32Array(0), { shape: [0, 3] }));
      expect((await empty.host()).shape).toEqual([0, 3]);
      expect((await total.host()).item()).toBe(0);
    });
    it("is collected with its tensor, before and after its function is released, without ending the process", async () => {
      const { code, signal, out } = await child(
        `
        import { add, jit, mul, tensor } from "@offprint/tensor-core";
        import { onnxRuntime } from "@offprint/onnx-runtime";
        const backend = await onnxRuntime({ device: "webgpu" });
        const kept = [];
        for (let i = 0; i < 60; i++) {
          const f = jit((x) => add(mul(x, i), 1), { backend });
          for (let k = 0; k < 3; k++) {
            const y = await f(tensor(new Float32Array(100 + i).fill(2)));
            if (k === 0) await y.host();
            if (i % 10 === 0) kept.push(y);
          }
          await f.release();
          gc();
          await new Promise((done) => setTimeout(done, 1));
          gc();
        }
        await backend.release();
        gc();
        let wrong = 0;
        for (const [k, y] of kept.entries()) if ((await y.host()).data()[5] !== 20 * Math.floor(k / 3) + 1) wrong++;
        console.log(kept.length, wrong);
        process.exit(0);
        `,
        { flags: ["--expose-gc"] },
      );
      expect({ code, signal, out: out.trim() }).toEqual({ code: 0, signal: null, out: "18 0" });
    });
    it("does not pile up on the device over 1000 steps whose results nobody disposes", async () => {
      const { code, out } = await child(
        `
        import { jit } from "@offprint/tensor-core";
        import { onnxRuntime } from "@offprint/onnx-runtime";
        import { smallMlp } from ${JSON.stringify(new URL("./models.ts", import.meta.url).href)};
        const { params, step, data } = smallMlp([64, 512, 10]);
        const compiled = jit(step, { backend: await onnxRuntime({ device: "webgpu" }) });
        let p = params;
        const run = async (steps) => {
          for (let i = 0; i < steps; i++) {
            p = await compiled(p, ...data);
            if (i % 50 === 0) gc();
          }
        };
        const memory = () => { gc(); return process.memoryUsage().rss / 2 ** 20; };
        await run(200);
        const before = memory();
        await run(1000);
        console.log(memory() - before);
        process.exit(0);
        `,
        { flags: ["--expose-gc"], env: { GALLIVM_PERF: "" } },
      );
      expect(code).toBe(0);
      expect(Number(out)).toBeLessThan(40);
    });
  });
});

function expectNear(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [actual.data(), expected.data()];
  for (let i = 0; i < b.length; i++) expect(a[i]).toBeCloseTo(b[i], 4);
}
