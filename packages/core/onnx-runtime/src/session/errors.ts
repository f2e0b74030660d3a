import { DeviceError, FormatError, IndexError, type OffprintError, UnsupportedError } from "@offprint/tensor-core";

/** What ONNX Runtime says, in one line. */
function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
}

/** Whether ONNX Runtime says that a file is no valid model, as opposed to one that this device cannot run. */
const MALFORMED =
  /protobuf parsing failed|INVALID_PROTOBUF|INVALID_GRAPH|ModelProto|deserialize|Unable to parse|Load model from|invalid model|InferenceError|No opset import|Missing opset|graph\.cc|is not a graph input|type information|out of bounds|External data path/i;

const LACKING =
  /NOT_IMPLEMENTED|could not find an implementation|is not a registered|No Op registered|Unsupported model IR|opset/i;

/** How ONNX Runtime names an operator that it lacks: by its domain, if not that of the standard, and its name. */
const LACKED = [
  /could not find an implementation for (?:([\w.-]+)[.:])?(\w+)\(/i,
  /(?:([\w.-]*):)?(\w+)\(-?\d+\) is not a registered/,
  /No Op registered for (?:([\w.-]+)[.:])?(\w+) with/,
];

/** An operator by its domain, empty for the standard's, and its name. */
export interface OperatorName {
  readonly domain: string;
  readonly operator: string;
}

/** The operator that an error of `sessionError` says is lacking, if it names one. */
export function lackedOperator(error: unknown): OperatorName | undefined {
  if (!(error instanceof UnsupportedError)) return undefined;
  const text = firstLine(error.cause);
  for (const pattern of LACKED) {
    const found = pattern.exec(text);
    if (found !== null) return { domain: found[1] ?? "", operator: found[2] };
  }
  return undefined;
}

const OUT_OF_RANGE = /out of (data )?bounds|out of range|invalid ind(ex|ice)/i;

/** An error of ONNX Runtime while a model is loaded or run, as one of this project's, with what to do about it. */
export function sessionError(operation: string, device: string, cause: unknown): OffprintError {
  const text = firstLine(cause);
  if (operation.startsWith("loadModel") && MALFORMED.test(text) && !LACKED.some((pattern) => pattern.test(text))) {
    return new FormatError(
      `${operation}: the bytes are not a complete, valid .onnx model; export or download it again. ${text}`,
      { cause },
    );
  }
  if (LACKING.test(text)) {
    return new UnsupportedError(
      `${operation}: ${device} lacks an operator that the model needs; try device "cpu", or export the model with an older opset. ${text}`,
      { cause },
    );
  }
  if (OUT_OF_RANGE.test(text) && !operation.startsWith("loadModel")) {
    return new IndexError(`${operation}: an index is outside its axis; check take, scatter and labels. ${text}`, {
      cause,
    });
  }
  return new DeviceError(`${operation}: ONNX Runtime failed on ${device}: ${text}`, { cause });
}

/** Why a device does not run here, and what would make it. */
export function deviceRemedy(device: string, available: readonly string[], cause: unknown): string {
  const text = firstLine(cause);
  if (!available.includes(device) && /backend not found|no available backend/i.test(text)) {
    return `the installed binding has no device "${device}"; it has ${available.join(", ")}`;
  }
  if (/cuda|cudnn|cublas|tensorrt|libonnxruntime_providers/i.test(text)) {
    return (
      `install the CUDA 12 and cuDNN 9 libraries and onnxruntime-node's CUDA provider ` +
      `("npm rebuild onnxruntime-node" downloads it), or use device "webgpu" or "cpu". ${text}`
    );
  }
  if (/adapter|webgpu|vulkan/i.test(text)) {
    return (
      "there is no GPU adapter; install a Vulkan driver (Debian: mesa-vulkan-drivers and libvulkan1; in browsers use " +
      `one with WebGPU), or use device "cpu". ${text}`
    );
  }
  return `${text}; use device "cpu"`;
}
