import { DeviceError } from "@offprint/tensor-core";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import { type Binding, takesTurns } from "#binding";
import { sessionError } from "./errors.js";
import { Turns } from "./turns.js";

const turns = new Turns();

/** Does what enters the engine, when it may. */
function enter<T>(device: string, task: () => Promise<T>): Promise<T> {
  return takesTurns && device !== "cpu" ? turns.take(task) : task();
}

/** How sessions are made. */
export interface SessionSettings {
  readonly device: string;
  /** Threads inside one operator. */
  readonly threads: number;
  /** Names of outputs that stay on the device. */
  readonly residentOutputs?: readonly string[];
  /** Fail where the device lacks an operator, instead of using the CPU for it. */
  readonly strict?: boolean;
  /** The model computes in float64, in which nothing may be rounded to float32. */
  readonly wide?: boolean;
  /** Files beside the model that hold its weights, for an engine that does not find them. */
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/**
 * One loaded model, which refuses to be used after release. The memory of outputs on a device belongs to the native
 * session, so it lives on until the last of them is let go, and until runs under way have ended.
 */
export class Session {
  private released = false;
  private residents = 0;
  private readonly runs = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly inner: InferenceSession,
    private readonly device: string,
    private readonly onRelease: () => void,
  ) {}

  static async create(
    binding: Binding,
    model: Uint8Array | string,
    settings: SessionSettings,
    operation: string,
    onRelease: () => void = () => {},
  ): Promise<Session> {
    const { device, threads, residentOutputs, strict, wide, externalData } = settings;
    const options: InferenceSession.SessionOptions = {
      executionProviders: device === "cpu" ? ["cpu"] : strict ? [device] : [device, "cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      logSeverityLevel: 4,
      ...(externalData && { externalData }),
      ...(residentOutputs &&
        residentOutputs.length > 0 && {
          preferredOutputLocation: Object.fromEntries(residentOutputs.map((name) => [name, "gpu-buffer" as const])),
        }),
      extra: {
        ...(strict && device !== "cpu" && { session: { disable_cpu_ep_fallback: "1" } }),
        // It moves factors into an attribute of the product, and attributes are float32.
        ...(wide && { optimization: { disable_specified_optimizers: "MatMulScaleFusion" } }),
      },
    };
    try {
      // The overloads of create take a path or bytes, not a union of both.
      const inner = await enter(device, () => binding.InferenceSession.create(model as Uint8Array, options));
      return new Session(inner, device, onRelease);
    } catch (cause) {
      throw sessionError(operation, device, cause);
    }
  }

  get inputs(): readonly InferenceSession.ValueMetadata[] {
    return this.inner.inputMetadata;
  }

  get outputs(): readonly InferenceSession.ValueMetadata[] {
    return this.inner.outputMetadata;
  }

  async run(feeds: Record<string, OrtTensor>): Promise<InferenceSession.OnnxValueMapType> {
    if (this.released) {
      throw new DeviceError(
        "run: this compiled function was released; compile it again, or release it after its last use",
      );
    }
    const run = enter(this.device, () => this.inner.run(feeds));
    this.runs.add(run);
    try {
      return await run;
    } catch (cause) {
      throw sessionError("run", this.device, cause);
    } finally {
      this.runs.delete(run);
    }
  }

  /** Keeps the native session while an output of it is on the device; call the result once, when it no longer is. */
  holdResident(): () => void {
    this.residents++;
    return () => {
      this.residents--;
      if (this.released && this.residents === 0) this.close().catch(() => {});
    };
  }

  /** Ends the use of the session. Resolves when runs under way have ended. */
  async release(): Promise<void> {
    if (!this.released) {
      this.released = true;
      this.onRelease();
    }
    await Promise.allSettled(this.runs);
    // The results of those runs are taken over in callbacks that were there before this one.
    await null;
    if (this.residents === 0) await this.close();
  }

  private close(): Promise<void> {
    this.closing ??= enter(this.device, () => this.inner.release());
    return this.closing;
  }
}
