import { softwareGpu } from "@offprint/testing";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServedSite, servedSite } from "../built-site.js";
import { launchChromium, needsChromium, openPage } from "../chromium.js";

const browser = await launchChromium();

/** The line through three points on y = 1 + 2 x: least squares has the exact answer (1, 2). */
const fitLine = `
import { onnxRuntime } from "@offprint/onnx-runtime";
import { minimize, sgd } from "@offprint/optim";
import { matmul, mean, square, sub, tensor } from "@offprint/tensor-core";
const x = tensor([[1, 0], [1, 1], [1, 2]]);
const y = tensor([1, 3, 5]);
const loss = (w) => mean(square(sub(matmul(x, w), y)));
const fit = async (backend) => {
  const { params } = await minimize(loss, tensor([0, 0]), sgd({ learningRate: 0.2 }), { steps: 300, backend });
  return params.toArray().map((value) => value.toFixed(4)).join(" ");
};
console.log("eager", await fit());
const backend = await onnxRuntime();
console.log("compiled", await fit(backend), backend.device);
`;

describe.skipIf(!browser)(`the playground in Chromium${browser ? "" : ` [${needsChromium}]`}`, () => {
  let site: ServedSite;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    site = await servedSite("playground");
    page = await openPage(browser!, { viewport: { width: 1360, height: 900 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
      const url = request.url();
      if (url.startsWith("http") && !url.startsWith(site.address)) problems.push(`asks for ${url}`);
    });
    await page.goto(`${site.address}playground`);
    await page.getByRole("textbox", { name: "Program" }).waitFor();
  }, 900_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function write(code: string, place = page): Promise<void> {
    await place.getByRole("textbox", { name: "Program" }).click();
    await place.keyboard.press("Control+a");
    await place.keyboard.press("Delete");
    await place.keyboard.insertText(code);
  }

  /** Waits for the end of a run; gives the last line of state and all that was printed. */
  async function outcome(place = page): Promise<{ status: string; text: string }> {
    await place.waitForFunction(
      () => /Finished|Failed|Stopped/.test(document.querySelector(".status")?.textContent ?? ""),
      null,
    );
    return { status: (await place.textContent(".status"))!, text: (await place.textContent(".log"))! };
  }

  it("trains eagerly and compiled, and both give the exact answer", async () => {
    await write(fitLine);
    await page.keyboard.press("Control+Enter");
    const { status, text } = await outcome();
    expect(text).toContain("eager 1.0000 2.0000");
    expect(text).toContain("compiled 1.0000 2.0000 cpu");
    expect(status).toMatch(/^Finished in/);
  });

  it("prints tensors, tables and gradients, and draws plots", async () => {
    await write(`import { grad, mul, tensor } from "@offprint/tensor-core";
console.log(grad((x) => mul(x, mul(x, x)))(2).item(), tensor([[1, 2]]));
console.table([{ step: 1, loss: 0.5 }]);
display({ kind: "line", title: "A square", x: { label: "x" }, y: { label: "y" }, curves: [{ name: "y", y: [0, 1, 4] }] });`);
    await page.getByRole("button", { name: "Run" }).click();
    const { text } = await outcome();
    expect(text).toContain("12 Tensor float32 [1, 2]");
    expect(await page.locator(".log table td").allTextContents()).toEqual(["0", "1", "0.5"]);
    expect(await page.locator(".log svg.offprint-plot").getAttribute("aria-label")).toContain("A square");
  });

  it("shows one of several plots, and a slider chooses which", async () => {
    await write(`const square = (n) => ({ kind: "line", title: \`Up to \${n}\`, x: { label: "x" }, y: { label: "y" }, curves: [{ name: "y", y: Array.from({ length: n }, (_, i) => i * i) }] });
display([3, 4, 5].map(square), "course");`);
    await page.getByRole("button", { name: "Run" }).click();
    await outcome();
    const shown = () => page.locator(".log svg.offprint-plot").getAttribute("aria-label");
    expect(await shown()).toContain("Up to 5");
    await page.getByLabel("Which of the plots").fill("0");
    expect(await shown()).toContain("Up to 3");
  });

  it("names the line of an error, the packages there are, and exports that are missing", async () => {
    await write(`import { matmul, zeros } from "@offprint/tensor-core";\n\nmatmul(zeros([2, 3]), zeros([2, 3]));`);
    await page.keyboard.press("Control+Enter");
    const shape = await outcome();
    expect(shape.status).toBe("Failed in line 3.");
    expect(shape.text).toContain("ShapeError");
    await write(`import left from "left-pad";`);
    await page.keyboard.press("Control+Enter");
    expect((await outcome()).text).toContain("@offprint/tensor-core");
    await write(`import { nothing } from "@offprint/optim";`);
    await page.keyboard.press("Control+Enter");
    expect((await outcome()).text).toContain("nothing");
  });

  it("stops a program without an end, and runs the next", async () => {
    await write("for (;;) {}");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("button", { name: "Stop" }).click();
    expect((await outcome()).status).toBe("Stopped.");
    await write("console.log(6 * 7);");
    await page.keyboard.press("Control+Enter");
    expect((await outcome()).text).toContain("42");
  });

  it("lets the keyboard leave the editor with Escape and Tab", async () => {
    await page.getByRole("textbox", { name: "Program" }).click();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Run");
  });

  it("runs examples: the first, a compiled one and the last (Node runs all of them)", async () => {
    const examples = await page
      .locator(".example-select option")
      .evaluateAll((all) => (all as HTMLOptionElement[]).map(({ value, text }) => ({ id: value, title: text })));
    expect(examples.length).toBeGreaterThan(5);
    const failed: string[] = [];
    const compiled = examples.find(({ id }) => id.endsWith("onnx"));
    for (const { id, title } of [examples[0]!, compiled!, examples.at(-1)!]) {
      await page.goto(`${site.address}playground#${id}`);
      // A change of address is told to the page later.
      await page.getByRole("heading", { name: title, exact: true }).waitFor();
      await page.getByRole("button", { name: "Run" }).click();
      const { status, text } = await outcome();
      if (!status.startsWith("Finished in") || /NaN|undefined/.test(text)) failed.push(`${id}: ${status} ${text}`);
    }
    expect(failed).toEqual([]);
  });

  it("compiles for WebGPU when the page says so", async (context) => {
    const other = await launchChromium(softwareGpu);
    const gpuPage = await openPage(other!);
    try {
      await gpuPage.goto(`${site.address}playground`);
      await gpuPage.getByRole("textbox", { name: "Program" }).waitFor();
      const adapter = await gpuPage.evaluate(async () => {
        const { gpu } = navigator as unknown as { gpu?: { requestAdapter(): Promise<unknown> } };
        return (await gpu?.requestAdapter()) !== undefined && (await gpu?.requestAdapter()) !== null;
      });
      if (!adapter) context.skip("needs a WebGPU adapter in Chromium: install its Vulkan SwiftShader");
      await gpuPage.getByLabel("Compiled code on").selectOption("webgpu");
      await write(
        `import { onnxRuntime } from "@offprint/onnx-runtime";
import { jit, matmul, ones, sum } from "@offprint/tensor-core";
const backend = await onnxRuntime({ device: "webgpu" });
const total = await jit((x) => sum(matmul(x, x)), { backend })(ones([64, 64]));
console.log(backend.device, (await total.host()).item());`,
        gpuPage,
      );
      await gpuPage.keyboard.press("Control+Enter");
      expect((await outcome(gpuPage)).text).toContain("webgpu 262144");
    } finally {
      await other?.close();
    }
  });

  it("asks nobody else and raises no error of its own", () => {
    expect(problems).toEqual([]);
  });
});
