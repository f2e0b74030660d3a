import { FunctionWriter } from "./function-writer.js";
import { ModuleWriter } from "./module-writer.js";

let answer: boolean | undefined;

/** Whether modules with vectors can be compiled here: engines may lack them, and a page's policy may forbid compiling. */
export function canCompile(): boolean {
  answer ??= tries();
  return answer;
}

function tries(): boolean {
  const module = new ModuleWriter();
  const w = new FunctionWriter([], []);
  w.vector("f64x2", 0);
  w.op("drop");
  module.add(w);
  try {
    return new WebAssembly.Module(module.encode()) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
