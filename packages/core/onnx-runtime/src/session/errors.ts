import { DeviceError, FormatError, type OffprintError, UnsupportedError } from "@offprint/tensor-core";

/** ONNX Runtime's message as one of this project's errors, with what to do about it. */
export function sessionError(operation: string, device: string, cause: unknown): OffprintError {
  const text = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
  if (/protobuf parsing failed|INVALID_PROTOBUF|ModelProto|deserialize|Unable to parse|Load model from/i.test(text)) {
    return new FormatError(
      `${operation}: the bytes are not a complete .onnx model; export or download it again. ${text}`,
      { cause },
    );
  }
  if (
    /NOT_IMPLEMENTED|could not find an implementation|is not a registered|No opset import|Unsupported model IR|opset/i.test(
      text,
    )
  ) {
    return new UnsupportedError(
      `${operation}: ${device} lacks an operator that the model needs; try device "cpu", or export the model with an older opset. ${text}`,
      { cause },
    );
  }
  if (/cuda|cudnn|cublas|libonnxruntime_providers/i.test(text)) {
    return new DeviceError(
      `${operation}: cuda does not run: install the CUDA 12 and cuDNN 9 libraries and onnxruntime-node's CUDA provider, or use device "cpu" or "webgpu". ${text}`,
      { cause },
    );
  }
  return new DeviceError(`${operation}: ONNX Runtime failed on ${device}: ${text}`, { cause });
}
