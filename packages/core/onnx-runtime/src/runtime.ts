import {
  type Backend,
  checkOptions,
  DTypeError,
  type Executable,
  Graph,
  requireInteger,
  type Tensor,
  type TypedArray,
} from "@offprint/tensor-core";
import type { Tensor as OrtTensor } from "onnxruntime-common";
import { type Binding, bindingName } from "#binding";
import { lowerGraph } from "./lowering/index.js";
import { encodeModel, GraphBuilder } from "./model/graph-builder.js";
import { chooseDevice, type DeviceReport, probeDevices } from "./session/devices.js";
import { Session, type SessionSettings } from "./session/session.js";
import { TensorExchange } from "./session/tensors.js";

/** Options of `onnxRuntime`. */
export interface OnnxRuntimeOptions {
  /**
   * "cpu", "webgpu", "cuda" or another execution provider of the binding; "auto" takes the fastest that runs a probe.
   * Default "cpu".
   */
  device?: string;
  /** Threads inside one operator. Default 1, which is fastest for small models; large products gain from more. */
  threads?: number;
}

/** ONNX Runtime as a backend. */
export interface OnnxRuntime extends Backend {
  /** Threads inside one operator. */
  readonly threads: number;
  /** One line: binding, device, threads. */
  readonly description: string;
  /** With device "auto", one line about the devices that do not run here; otherwise, or where all run, undefined. */
  readonly note: string | undefined;
  /**
   * Frees every session that this backend made; functions compiled by it do not run any more. Results that are still
   * on the device stay usable until they are disposed or collected.
   */
  release(): Promise<void>;
}

/**
 * ONNX Runtime as a backend for `jit`: onnxruntime-node in Node, onnxruntime-web in browsers. On a GPU results stay on
 * the device until `await x.host()`.
 * @throws MissingDependencyError where the binding is not installed; DeviceError where the device does not run.
 * @example const backend = await onnxRuntime({ device: "cpu", threads: 1 });
 */
export async function onnxRuntime(options: OnnxRuntimeOptions = {}): Promise<OnnxRuntime> {
  checkOptions("onnxRuntime", options, ["device", "threads"]);
  const { threads = 1 } = options;
  requireInteger("onnxRuntime", "threads", threads, 1);
  const { binding, device, note } = await chooseDevice(options.device ?? "cpu");
  return new Runtime(binding, device, threads, note);
}

/** The devices that the installed binding may have, and whether each really runs. */
export async function devices(): Promise<DeviceReport[]> {
  return probeDevices();
}

const RUNS_BEFORE_SETTLING = 16;

class Runtime implements OnnxRuntime {
  readonly name: string;
  private readonly sessions = new Set<Session>();
  private readonly exchange: TensorExchange;
  private readonly downloads = new Map<string, Promise<Session>>();
  /** Runs since the host last waited for the device. */
  private runsUnderWay = 0;

  constructor(
    private readonly binding: Binding,
    readonly device: string,
    readonly threads: number,
    readonly note: string | undefined,
  ) {
    this.name = bindingName(binding);
    this.exchange = new TensorExchange(binding, device, (value) => this.download(value));
  }

  get description(): string {
    return `${this.name} on ${this.device}, ${this.threads} ${this.threads === 1 ? "thread" : "threads"}`;
  }

  async compile(graph: Graph): Promise<Executable> {
    const wide = hasFloat64(graph);
    if (wide && this.device !== "cpu") {
      throw new DTypeError(
        `compile: ${this.device} has no float64; cast the arguments to float32, or use device "cpu"`,
      );
    }
    const onnx = lowerGraph(graph, { device: this.device });
    const outputs = onnx.outputs.map((v) => v.name);
    const residentOutputs = this.device === "cpu" ? [] : outputs;
    const session = await this.open(encodeModel(onnx, "traced"), { residentOutputs, wide });
    const { exchange } = this;
    const names = onnx.inputs.map((v) => v.name);
    const settle = residentOutputs.length > 0 ? () => this.settle() : undefined;
    return {
      async run(inputs: readonly Tensor[]) {
        const feeds: Record<string, OrtTensor> = {};
        for (let i = 0; i < names.length; i++) feeds[names[i]] = exchange.toRuntime(inputs[i]);
        const results = await session.run(feeds);
        if (settle !== undefined) await settle();
        return outputs.map((name) => exchange.fromRuntime(results[name] as OrtTensor, session));
      },
      release: () => session.release(),
    };
  }

  async release(): Promise<void> {
    for (const session of [...this.sessions]) await session.release();
    this.downloads.clear();
  }

  private async open(model: Uint8Array, more: Partial<SessionSettings> = {}): Promise<Session> {
    const settings = { ...more, device: this.device, threads: this.threads };
    const session: Session = await Session.create(this.binding, model, settings, "compile", () =>
      this.sessions.delete(session),
    );
    this.sessions.add(session);
    return session;
  }

  /**
   * A GPU gives memory back only when somebody waits for it, and a chain of runs whose results stay there never does.
   * So every so many runs a number goes there and back.
   */
  private async settle(): Promise<void> {
    if (++this.runsUnderWay < RUNS_BEFORE_SETTLING) return;
    await this.download(new this.binding.Tensor("float32", new Float32Array(1), [1]));
  }

  /** Reading a device tensor directly would end the process, so an identity model whose output is on the host copies it. */
  private async download(value: OrtTensor): Promise<TypedArray> {
    this.runsUnderWay = 0;
    const key = `${value.type} ${value.dims.length}`;
    let copy = this.downloads.get(key);
    if (copy === undefined) {
      const graph = new GraphBuilder();
      const x = graph.input(value.type as "float32", value.dims, "x");
      const y = graph.node("Identity", [x], x);
      graph.outputs.push(y);
      for (const end of [x, y]) {
        graph.declareShape(
          end,
          value.dims.map((_, axis) => `axis${axis}`),
        );
      }
      copy = this.open(encodeModel(graph, "download"));
      this.downloads.set(key, copy);
    }
    const results = await (await copy).run({ x: value });
    return (Object.values(results)[0] as OrtTensor).data as TypedArray;
  }
}

function hasFloat64(graph: Graph): boolean {
  const variables = [
    ...graph.inputs,
    ...graph.constants.map((c) => c.variable),
    ...graph.equations.flatMap((e) => e.outputs),
  ];
  return variables.some((v) => v.dtype === "float64") || nestedGraphs(graph).some(hasFloat64);
}

/** The bodies of loops and branches. */
function nestedGraphs(graph: Graph): Graph[] {
  return graph.equations.flatMap((e) => Object.values(e.params ?? {}).filter((p): p is Graph => p instanceof Graph));
}
