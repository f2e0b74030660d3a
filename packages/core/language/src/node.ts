import { loadFile } from "@offprint/data/node";
import { requireText, ValueError } from "@offprint/tensor-core";
import type { ModelFiles } from "./huggingface/model-files.js";

/** The files of a model in a folder. */
export function modelFolder(path: string): ModelFiles {
  requireText("modelFolder", "path", path);
  const base = path.replace(/[\\/]+$/, "");
  const locate = (file: string): string => `${base}/${file}`;
  return {
    name: path,
    locate,
    async read(file) {
      try {
        return await loadFile(locate(file), (bytes) => bytes);
      } catch (error) {
        if (error instanceof ValueError && (error.cause as { code?: string } | undefined)?.code === "ENOENT")
          return undefined;
        throw error;
      }
    },
  };
}
