import { UnsupportedError } from "@offprint/tensor-core";
import type { Platform } from "./platform.js";

const noNats = () =>
  Promise.reject(
    new UnsupportedError('cluster: pages run jobs on threads, { kind: "threads" }; NATS is for programs of Node'),
  );

const hexadecimals = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Pages and their workers. */
export const platform: Platform = {
  startThread({ entry }, { onMessage, onEnd }) {
    const worker =
      entry === undefined
        ? new Worker(new URL("../threads/thread-main.js", import.meta.url), { type: "module" })
        : new Worker(entry, { type: "module" });
    worker.onmessage = ({ data }) => onMessage(data);
    worker.onerror = ({ message }) => {
      worker.terminate();
      onEnd(message || "its module could not be loaded");
    };
    return {
      post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
      terminate: () => worker.terminate(),
    };
  },
  ownPort: () => ({
    post: (message, transfer = []) => globalThis.postMessage(message, { transfer: [...transfer] }),
    onMessage(listener) {
      globalThis.addEventListener("message", ({ data }) => listener(data));
    },
  }),
  parallelism: globalThis.navigator?.hardwareConcurrency ?? 1,
  host: "page",
  sharedMemory: globalThis.crossOriginIsolated === true,
  async digest(parts) {
    const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    return hexadecimals(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  },
  readJobs: () => new Map(),
  openNats: noNats,
  joinNats: noNats,
};
