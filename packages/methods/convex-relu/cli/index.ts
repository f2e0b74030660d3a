import type { CommandInput, MethodCommand } from "@offprint/claims";
import { ValueError } from "@offprint/tensor-core";
import { predict } from "./predict.js";
import { train } from "./train.js";

const convexRelu: MethodCommand = {
  name: "convex-relu",
  summary: "train a ReLU network on a table to a certified global optimum, or predict with one",
  arguments: [
    { name: "action", description: "train DATA, or predict MODEL DATA" },
    { name: "files", description: "DATA: .csv (plain or .gz) or .npz; MODEL: what --save wrote", variadic: true },
  ],
  options: [
    { name: "target", description: "column, or array of the .npz, to be learnt", type: "string", default: "y" },
    { name: "features", description: "columns to learn from, as in age,weight; default all others", type: "string" },
    { name: "inputs", description: "array of the .npz with the features", type: "string", default: "X" },
    { name: "loss", description: "squared, bce, hinge; auto: bce for two classes", type: "string", default: "auto" },
    { name: "beta", description: "weight penalty beside the mean loss, > 0", type: "number", default: 1e-3 },
    { name: "method", description: "admm, admm-rbcd or scp", type: "string", default: "admm" },
    { name: "patterns", description: "activation patterns to sample; default all or 100", type: "number" },
    { name: "samples", description: "scp: random neurons, default 500", type: "number" },
    { name: "eps", description: "train against moves of so many standard deviations of a feature", type: "number" },
    { name: "iterations", description: "most iterations, default 2000 (4000 with --eps)", type: "number" },
    { name: "tol", description: "tolerance of the residuals", type: "number", default: 1e-6 },
    { name: "holdout", description: "part of the samples to test on, in [0, 1)", type: "number", default: 0 },
    { name: "seed", description: "source of all randomness", type: "number", default: 0 },
    { name: "save", description: "file for the trained model (safetensors)", type: "string" },
    { name: "onnx", description: "file for the network alone (ONNX)", type: "string" },
    { name: "json", description: "file for the certificate and the history", type: "string" },
    { name: "output", description: "predict: file for the predictions (CSV)", type: "string" },
  ],
  run,
};

async function run(input: CommandInput): Promise<void> {
  const { action, files = [] } = input.arguments;
  const paths = typeof files === "string" ? [files] : files;
  const names = String(input.options.features ?? "")
    .split(",")
    .map((name) => name.trim());
  const request = {
    target: String(input.options.target),
    inputs: String(input.options.inputs),
    ...(input.options.features && { features: names }),
  };
  if (action === "train" && paths.length === 1) return train(paths[0], request, input);
  if (action === "predict" && paths.length === 2) return predict(paths[0], paths[1], request, input);
  throw new ValueError(
    `convex-relu: ${String(action)} with ${paths.length} files; give train DATA, or predict MODEL DATA`,
  );
}

/** The command that this package adds to `offprint`. */
export const commands: readonly MethodCommand[] = [convexRelu];
