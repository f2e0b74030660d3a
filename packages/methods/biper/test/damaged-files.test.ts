import { readSafetensors, writeSafetensors } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { random, type Tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  loadNetwork,
  loadOfficialCheckpoint,
  loadPacked,
  packNetwork,
  saveNetwork,
  savePacked,
  smallNetwork,
} from "../src/index.js";

const network = smallNetwork({ classes: 3, channels: 1 });
const trained = { network, params: network.init(random.rng(1)), state: network.initState(), stage: 2 as const };
const saved = saveNetwork(trained);
const { tensors, metadata } = readSafetensors(saved);
const described = (bytes: Uint8Array) =>
  loadNetwork(writeSafetensors(tensors, { metadata: { ...metadata, network: new TextDecoder().decode(bytes) } }));

const packed = savePacked(packNetwork(trained));
const steps = readSafetensors(packed);
const stepped = (bytes: Uint8Array) =>
  loadPacked(
    writeSafetensors(steps.tensors, { metadata: { ...steps.metadata, steps: new TextDecoder().decode(bytes) } }),
  );
const encode = (text: string) => new TextEncoder().encode(text);

/** The authors' names of the parameters, without those of our wrappers. */
const official = Object.fromEntries(
  [trained.params, trained.state].flatMap((part) => {
    const paths = tree.paths(part);
    return tree.leaves<Tensor>(part).map((x, i) => {
      const name = officialName(paths[i]);
      return [name, name === "linear.weight" ? x.transpose() : x];
    });
  }),
);

function officialName(path: string): string {
  const names: Record<string, string> = { scale: "weight", mean: "running_mean", variance: "running_var" };
  return path.replace(/(^|\.)((first|second|block|body)\.)+/g, "$1").replace(/[^.]+$/, (last) => names[last] ?? last);
}

const cases: ReaderCase[] = [
  { name: "biper network", read: (b) => loadNetwork(b), file: saved },
  { name: "biper description", read: described, file: encode(metadata.network) },
  { name: "biper packed", read: loadPacked, file: packed },
  { name: "biper steps", read: stepped, file: encode(steps.metadata.steps) },
  { name: "biper official", read: (b) => loadOfficialCheckpoint(b, network, 2), file: writeSafetensors(official) },
];

describe("damaged files give typed errors and no huge allocation", () => {
  it.each(cases)("$name", (reader) => {
    fuzzReader(reader);
  });

  const format = (message: RegExp) =>
    expect.objectContaining({ name: "FormatError", message: expect.stringMatching(message) });

  it("a network that its tensors do not account for is not drawn", () => {
    const text = JSON.stringify({
      architecture: "imagenetResnet34",
      rule: "periodic",
      classes: 1_000_000,
      channels: 3,
      omega: 20,
      binaryActivations: true,
    });
    const small = writeSafetensors({}, { metadata: { ...metadata, network: text } });
    expect(() => loadNetwork(small)).toThrow(format(/more parameters than the file/));
    for (const other of [
      "null",
      "3",
      '{"architecture":"constructor"}',
      metadata.network.replace('"classes":3', '"classes":-3'),
    ]) {
      expect(() => described(encode(other))).toThrow(expect.objectContaining({ name: "FormatError" }));
    }
  });

  it("steps that are nested without end are refused", () => {
    const deep = '[{"kind":"residual","clamp":true,"shortcut":[],"body":'.repeat(20_000);
    expect(() => stepped(encode(`${deep}[]${"}]".repeat(20_000)}`))).toThrow(format(/nested/));
  });
});
