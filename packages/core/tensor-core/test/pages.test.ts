import { afterEach, expect, it, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it("a page is not asked to run generated code, which its policy may report", async () => {
  const generated = vi.fn(() => {
    throw new EvalError("blocked");
  });
  vi.stubGlobal("document", {});
  vi.stubGlobal("Function", generated);
  vi.resetModules();
  const tc = await import("../src/index.js");
  const x = tc.tensor([1, 2, 3], { dtype: "float64" });
  expect([...tc.add(tc.mul(x, 2), tc.sub(1, x)).data()]).toEqual([2, 3, 4]);
  expect([...tc.div(x, tc.maximum(x, 2)).data()]).toEqual([0.5, 1, 1]);
  expect([...tc.where(tc.greater(x, 1), tc.neg(x), 0).data()]).toEqual([0, -2, -3]);
  expect(tc.mul(tc.tensor([65537], { dtype: "int32" }), 65537).item()).toBe(Math.imul(65537, 65537));
  expect(generated).not.toHaveBeenCalled();
});
