/** Codes of ONNX's element types: float32, float16, float64, bfloat16. */
export const FLOATS: readonly unknown[] = [1, 10, 11, 16];
/** Whole numbers of all widths. */
export const INTEGERS: readonly unknown[] = [2, 3, 4, 5, 6, 7, 12, 13];
/** Truth values. */
export const BOOL = 9;
