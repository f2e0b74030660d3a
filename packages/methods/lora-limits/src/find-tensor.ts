import { FormatError, type Tensor } from "@offprint/tensor-core";

/** A tensor of a file, and its whole name there. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The tensor of that name, with or without something before it. @throws FormatError where several models have one. */
export function findTensor(
  owner: string,
  argument: string,
  tensors: Readonly<Record<string, Tensor>>,
  name: string,
  prefix = "",
): NamedTensor | undefined {
  const wanted = prefixed(prefix, name);
  if (Object.hasOwn(tensors, wanted)) return { name: wanted, tensor: tensors[wanted] };
  const found = Object.keys(tensors).filter((key) => key.endsWith(`.${wanted}`));
  if (found.length <= 1) return found.length === 0 ? undefined : { name: found[0], tensor: tensors[found[0]] };
  throw new FormatError(
    `${owner}: ${argument} has ${name} of several models (${found.slice(0, 3).join(", ")}); say by prefix which one is meant`,
  );
}

/** A name with what stands before it. */
export function prefixed(prefix: string, name: string): string {
  return prefix === "" || prefix.endsWith(".") ? `${prefix}${name}` : `${prefix}.${name}`;
}
