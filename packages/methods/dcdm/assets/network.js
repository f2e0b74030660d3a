// Written out, so that bundlers find the file and take it along.
export const networkAddress = new URL("./box-32.safetensors", import.meta.url);
