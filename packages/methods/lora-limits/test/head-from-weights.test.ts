import type { Tensor } from "@offprint/tensor-core";
import { random } from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { headFromWeights, type LoraProjection } from "../src/index.js";

describe("headFromWeights", () => {
  const r = random.rng("files");
  const single = (shape: number[]) => r.normal(shape);
  const close = (a: unknown, b: Tensor) => expect([...(a as Tensor).data()]).toEqual([...b.data()]);

  it("cuts a head out of GPT-2's matrix, with its bias and a PEFT adapter", () => {
    const joint = single([6, 18]);
    const bias = single([18]);
    const [a, b] = [single([2, 6]), single([18, 2])];
    const tensors = { "transformer.h.1.attn.c_attn.weight": joint, "transformer.h.1.attn.c_attn.bias": bias };
    const adapter = {
      "base_model.model.transformer.h.1.attn.c_attn.lora_A.weight": a,
      "base_model.model.transformer.h.1.attn.c_attn.lora_B.weight": b,
    };
    const head = headFromWeights(tensors, { layer: 1, head: 2, heads: 3, adapter, alpha: 16 });
    const k = head.k as { weight: Tensor; bias: Tensor; b: Tensor; a: Tensor; alpha: number };
    close(k.weight, joint.slice([null, { start: 10, stop: 12 }]));
    close(k.bias, bias.slice([{ start: 10, stop: 12 }]));
    close(k.b, a.transpose());
    close(k.a, b.slice([{ start: 10, stop: 12 }]).transpose());
    expect([k.alpha, head.causal]).toEqual([16, true]);
  });

  it("refuses biases and adapters of another number of outputs", () => {
    const place = { layer: 0, head: 0, heads: 2 };
    const joint = { "h.0.attn.c_attn.weight": single([4, 12]) };
    for (const length of [7, 24]) {
      const biased = { ...joint, "h.0.attn.c_attn.bias": single([length]) };
      expect(() => headFromWeights(biased, place)).toThrow(errorLike("ShapeError", /bias has shape .* has 12 outputs/));
    }
    const adapter = {
      "h.0.attn.c_attn.lora_A.weight": single([2, 4]),
      "h.0.attn.c_attn.lora_B.weight": single([24, 2]),
    };
    expect(() => headFromWeights(joint, { ...place, adapter })).toThrow(
      errorLike("ShapeError", /lora_B of h.0.attn.c_attn has shape \[24,2\]; .* has 12 outputs/),
    );
    const separate = Object.fromEntries(
      ["q", "k", "v"].map((name) => [`layers.0.self_attn.${name}_proj.weight`, single([4, 4])]),
    );
    const biased = { ...separate, "layers.0.self_attn.k_proj.bias": single([8]) };
    expect(() => headFromWeights(biased, place)).toThrow(errorLike("ShapeError", /k_proj.bias has shape \[8\]/));
  });

  it("shares keys among heads where the model does", () => {
    const tensors = Object.fromEntries(
      [
        ["q", 8],
        ["k", 4],
        ["v", 4],
      ].map(([name, rows]) => [`model.layers.0.self_attn.${name}_proj.weight`, single([Number(rows), 5])]),
    );
    const head = headFromWeights(tensors, { layer: 0, head: 3, heads: 4 });
    close(
      (head.q as { weight: Tensor }).weight,
      tensors["model.layers.0.self_attn.q_proj.weight"].slice([{ start: 6, stop: 8 }]).transpose(),
    );
    close(
      (head.k as { weight: Tensor }).weight,
      tensors["model.layers.0.self_attn.k_proj.weight"].slice([{ start: 2, stop: 4 }]).transpose(),
    );
  });

  it("reads a joint matrix of a linear layer, which is the other way round", () => {
    const joint = single([4, 12]);
    const place = { layer: 0, head: 1, heads: 2 };
    const [own, turned] = [joint, joint.transpose()].map((weight) => {
      const head = headFromWeights({ "transformer.h.0.attn.c_attn.weight": weight }, place);
      return head.v as { weight: Tensor };
    });
    close(turned.weight, own.weight);
  });

  it("asks which of several models is meant", () => {
    const sides = ["model.encoder", "model.decoder"];
    const tensors = Object.fromEntries(
      sides.flatMap((side) =>
        ["q", "k", "v"].map((name) => [`${side}.layers.0.self_attn.${name}_proj.weight`, single([4, 4])]),
      ),
    );
    const place = { layer: 0, head: 0, heads: 1 };
    for (const [change, message] of [
      [{ adaptor: {} }, /no option "adaptor"; did you mean "adapter"/],
      [{ adapter: null }, /adapter is null; give its tensors by name/],
      [{ alpha: 8 }, /alpha is of an adapter, and none was given/],
    ] as const) {
      expect(() => headFromWeights(tensors, { ...place, ...change } as never)).toThrow(
        errorLike("ValueError", message),
      );
    }
    expect(() => headFromWeights(tensors, place)).toThrow(
      errorLike("FormatError", /of several models \(model.encoder.*model.decoder.*say by prefix/),
    );
    for (const [i, side] of sides.entries()) {
      const adapter = Object.fromEntries(
        sides.flatMap((each) =>
          ["A", "B"].map((part) => [
            `base_model.model.${each}.layers.0.self_attn.k_proj.lora_${part}.weight`,
            single(part === "A" ? [2, 4] : [4, 2]),
          ]),
        ),
      );
      for (const prefix of [side, `${side}.`]) {
        const head = headFromWeights(tensors, { ...place, adapter, prefix });
        close((head.q as { weight: Tensor }).weight, Object.values(tensors)[3 * i].transpose());
        const { a, b } = head.k as { a: Tensor; b: Tensor };
        close(b, Object.values(adapter)[2 * i].transpose());
        close(a, Object.values(adapter)[2 * i + 1].transpose());
      }
    }
  });

  it("refuses what it would leave out: normalised queries, and the magnitudes of DoRA", () => {
    const module = "model.layers.0.self_attn";
    const tensors = Object.fromEntries(
      ["q", "k", "v"].map((name) => [`${module}.${name}_proj.weight`, single([4, 4])]),
    );
    const place = { layer: 0, head: 0, heads: 2 };
    expect(() => headFromWeights({ ...tensors, [`${module}.k_norm.weight`]: single([2]) }, place)).toThrow(
      errorLike("UnsupportedError", /layer 0 normalises queries and keys \(k_norm\)/),
    );
    const adapter = {
      [`base_model.model.${module}.q_proj.lora_A.weight`]: single([2, 4]),
      [`base_model.model.${module}.q_proj.lora_B.weight`]: single([4, 2]),
      [`base_model.model.${module}.q_proj.lora_magnitude_vector`]: single([4]),
    };
    expect(() => headFromWeights(tensors, { ...place, adapter })).toThrow(
      errorLike("UnsupportedError", /the adapter is one of DoRA/),
    );
  });

  const module = "model.layers.0.self_attn.q_proj";
  const model = Object.fromEntries(
    ["q", "k", "v"].map((name) => [`model.layers.0.self_attn.${name}_proj.weight`, single([4, 4])]),
  );
  const adapter = {
    [`base_model.model.${module}.lora_A.weight`]: single([4, 4]),
    [`base_model.model.${module}.lora_B.weight`]: single([4, 4]),
  };
  const place = { layer: 0, head: 1, heads: 2, adapter };
  const config = { peft_type: "LORA", r: 4, lora_alpha: 16, use_rslora: false, init_lora_weights: true, bias: "none" };

  it("scales an adapter as its adapter_config.json says: by alpha / r, or alpha / sqrt(r) where use_rslora is true", () => {
    const scaleOf = (more: object) => {
      const { alpha, scaling } = headFromWeights(model, { ...place, ...more }).q as LoraProjection;
      return [alpha, scaling];
    };
    expect(scaleOf({})).toEqual([undefined, undefined]);
    expect(scaleOf({ adapterConfig: config })).toEqual([16, "lora"]);
    expect(scaleOf({ adapterConfig: { ...config, use_rslora: true } })).toEqual([16, "rslora"]);
    expect(scaleOf({ alpha: 8, scaling: "rslora" })).toEqual([8, "rslora"]);
    expect(scaleOf({ adapterConfig: { ...config, use_rslora: true }, alpha: 8, scaling: "lora" })).toEqual([8, "lora"]);
  });

  it("takes alpha of the first pattern that the module's name ends with, as PEFT does", () => {
    const alphaWith = (patterns: object) => {
      const adapterConfig = { ...config, r: 8, rank_pattern: { q_proj: 4 }, alpha_pattern: patterns };
      return (headFromWeights(model, { ...place, adapterConfig }).q as LoraProjection).alpha;
    };
    expect(alphaWith({ "self_attn.q_proj": 2, q_proj: 3 })).toBe(2);
    expect(alphaWith({ proj: 2, "layers\\.[01]\\..*": 3 })).toBe(3);
    expect(alphaWith({ [module]: 5 })).toBe(5);
    expect(alphaWith({ k_proj: 2 })).toBe(16);
  });

  it("refuses configurations of other adapters, and what is no plain LoRA", () => {
    const refused = (adapterConfig: unknown, error: string, message: RegExp) =>
      expect(() => headFromWeights(model, { ...place, adapterConfig } as never)).toThrow(errorLike(error, message));
    refused({ ...config, r: 8 }, "FormatError", /layers.0.self_attn.q_proj has rank 8, and its lora_A has 4 rows/);
    refused({ r: 4 }, "FormatError", /lora_alpha of adapterConfig is undefined; it must be a number above 0/);
    refused({ ...config, alpha_pattern: { q_proj: "2" } }, "FormatError", /alpha_pattern "q_proj" .* is "2"/);
    refused({ ...config, alpha_pattern: { "(": 2 } }, "FormatError", /has "\(", which is no regular expression/);
    refused({ ...config, use_rslora: "yes" }, "FormatError", /use_rslora of adapterConfig is "yes"/);
    refused({ ...config, use_dora: true }, "UnsupportedError", /is of DoRA/);
    refused({ ...config, peft_type: "LOHA" }, "UnsupportedError", /is of LOHA/);
    refused({ ...config, lora_bias: true }, "UnsupportedError", /has lora_bias/);
    refused({ ...config, init_lora_weights: "pissa_niter_4" }, "UnsupportedError", /init_lora_weights "pissa_niter_4"/);
    refused("adapter_config.json", "ValueError", /give the object that adapter_config.json holds/);
    const without = (more: object) => () => headFromWeights(model, { ...place, adapter: undefined, ...more });
    expect(without({ adapterConfig: config })).toThrow("adapterConfig is of an adapter, and none was given");
    expect(without({ scaling: "rslora" })).toThrow("scaling is of an adapter, and none was given");
    expect(() => headFromWeights(model, { ...place, scaling: "sqrt" } as never)).toThrow('scaling is "sqrt"');
    expect(() => headFromWeights(model, { ...place, alpha: 0 })).toThrow("alpha is 0");
  });

  it("refuses an adapter that holds more of the module than LoRA's two matrices", () => {
    for (const [name, shape] of [
      ["base_layer.bias", [4]],
      ["lora_B.bias", [4]],
      ["lora_A.default.weight", [4, 4]],
    ] as const) {
      const more = { ...adapter, [`base_model.model.${module}.${name}`]: single([...shape]) };
      expect(() => headFromWeights(model, { ...place, adapter: more })).toThrow(
        errorLike("UnsupportedError", new RegExp(`the adapter holds .*q_proj.${name} beside the matrices`)),
      );
    }
    const flat = { ...adapter, [`base_model.model.${module}.lora_B.weight`]: single([4]) };
    expect(() => headFromWeights(model, { ...place, adapter: flat })).toThrow(
      errorLike("ShapeError", /lora_B.weight of the adapter has shape \[4\]; it must be a matrix/),
    );
  });
});
