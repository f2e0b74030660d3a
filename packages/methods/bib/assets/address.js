// Written out, so that bundlers find the files and take them along.
const addresses = new Map([
  ["landscape-0.safetensors", new URL("./landscape-0.safetensors", import.meta.url)],
  ["landscape-1.safetensors", new URL("./landscape-1.safetensors", import.meta.url)],
  ["landscape-2.safetensors", new URL("./landscape-2.safetensors", import.meta.url)],
  ["landscape-3.safetensors", new URL("./landscape-3.safetensors", import.meta.url)],
]);

/** @param {string} name */
export const assetAddress = (name) => addresses.get(name);
