import { requireObject, ValueError } from "@offprint/tensor-core";

/** What is used of Node, where there is one; a static import of it would keep pages from loading the module. */
interface NodeProcess {
  getBuiltinModule?(name: "node:fs/promises"): { readFile(path: URL): Promise<Uint8Array> };
}

/**
 * Reads a binary file that ships beside a module, such as weights: over the network in a page, from the disk in Node.
 * Bundlers that know `new URL(..., import.meta.url)` copy the file.
 *
 * @param address such as `new URL("../assets/small.safetensors", import.meta.url)`
 * @throws ValueError when it cannot be read
 * @example
 * ```ts no-run
 * import { readAsset, readSafetensors } from "@offprint/data";
 *
 * const weights = readSafetensors(await readAsset(new URL("../assets/small.safetensors", import.meta.url)));
 * ```
 */
export async function readAsset(address: URL): Promise<Uint8Array> {
  requireObject("readAsset", "address", address, "a URL");
  if (address.protocol === "file:") {
    const { process } = globalThis as { process?: NodeProcess };
    const fs = process?.getBuiltinModule?.("node:fs/promises");
    if (fs === undefined) throw new ValueError(`readAsset: ${address} can be read in Node only`);
    try {
      return new Uint8Array(await fs.readFile(address));
    } catch (cause) {
      throw new ValueError(`readAsset: ${address} cannot be read; is the package whole?`, { cause });
    }
  }
  const response = await fetch(address);
  if (!response.ok) throw new ValueError(`readAsset: ${address} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
