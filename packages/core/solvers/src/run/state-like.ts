import { isTensor, requireObject, type Tensor, ValueError } from "@offprint/tensor-core";

/**
 * Throws unless a state to resume has, part for part, what a run on this problem keeps: tensors of the same shape,
 * real or not, typed arrays of the same kind and length, finite numbers. With another shape a run may go on to wrong numbers, as operations
 * broadcast.
 * @param owner The function that runs, as messages begin.
 * @param state What is resumed, the `inner` of a {@link RunState}.
 * @param like A state of this problem. Parts that are null in it are not compared; parts that it does not name neither.
 * @throws ValueError that names the part, what it is and what it must be.
 * @example requireStateLike("descend", resumed, { x: zeros([3]), velocity: zeros([3]), best: null })
 */
export function requireStateLike(owner: string, state: unknown, like: unknown): void {
  requireObject("requireStateLike", "like", like, "a state of this problem");
  const wrong = difference(state, like, "");
  if (wrong === undefined) return;
  throw new ValueError(`${owner}: resume is a state of another problem or method: ${wrong}; give one of this problem`);
}

/** What is wrong with the first part that differs. */
function difference(found: unknown, like: unknown, path: string): string | undefined {
  if (like === null || like === undefined) return undefined;
  const said = (wanted: string) => `${path === "" ? "it" : path} is ${called(found)}, not ${wanted}`;
  if (isTensor(like)) return isTensor(found) && kindOf(found) === kindOf(like) ? undefined : said(called(like));
  if (typeof like !== "object") {
    const fits = typeof like === "number" ? Number.isFinite(found) : typeof found === typeof like;
    return fits ? undefined : said(typeof like === "number" ? "a finite number" : `a ${typeof like}`);
  }
  if (ArrayBuffer.isView(like)) return called(found) === called(like) ? undefined : said(called(like));
  if (Array.isArray(like) && !(Array.isArray(found) && found.length === like.length)) return said(called(like));
  if (typeof found !== "object" || found === null || isTensor(found) || ArrayBuffer.isView(found)) {
    return said("an object");
  }
  for (const [key, part] of Object.entries(like)) {
    const value = Object.hasOwn(found, key) ? (found as Record<string, unknown>)[key] : undefined;
    const wrong = difference(value, part, path === "" ? key : `${path}.${key}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** @internal What messages call a value. */
export function called(value: unknown): string {
  if (isTensor(value)) return `${value.dtype === "int32" ? "an" : "a"} ${value.dtype} tensor [${value.shape}]`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} [${(value as Uint8Array).length}]`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Where a run begins in float32, what it computes may be float64. */
function kindOf({ dtype, shape }: Tensor): string {
  return `${dtype.startsWith("float") ? "float" : dtype} [${shape}]`;
}
