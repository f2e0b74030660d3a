import { claimsList } from "../claims/claims-section.js";
import type { StoredRun } from "../claims/stored-runs.js";
import { pictureImage } from "../pictures.js";
import { escapeHtml, page } from "../workspace/markdown-document.js";
import { type Package, pageOf, type Workspace } from "../workspace/workspace.js";

/** Claims shown on the home page. */
const shownClaims = 3;

/** A method as a printed article: its paper, and its claims with what was measured. */
function sheet(method: Package, runs: readonly StoredRun[]): string {
  const { title, authors, year } = method.paper!;
  const records = runs[0]?.records.slice(0, shownClaims) ?? [];
  const body =
    records.length > 0
      ? claimsList(records)
      : `<p>${escapeHtml(method.description)}</p><pre><code>npx offprint reproduce ${method.slug}</code></pre>`;
  return [
    '<article class="sheet" aria-label="A method of Offprint">',
    `<p class="sheet-head"><span>Offprint</span><span>${escapeHtml(method.name)}</span></p>`,
    `<h2><a href="${pageOf(method)}">${escapeHtml(title)}</a></h2>`,
    `<p class="authors">${escapeHtml(authors.join(", "))} (${year})</p>`,
    `<div v-pre>${body}</div>`,
    "</article>",
  ].join("\n");
}

/** What can be done with a method: its picture, the task, and for whom it is. */
function taskCard(method: Package): string {
  const { task, purpose } = method.paper!;
  const example = method.examples.find(({ picture }) => picture !== undefined);
  const words = `<strong>${escapeHtml(task)}</strong><span>${escapeHtml(purpose)}</span>`;
  return `<li><a href="${pageOf(method)}">${example ? pictureImage(example) : ""}${words}</a></li>`;
}

const features: readonly (readonly [title: string, text: string])[] = [
  [
    "One paper, one package",
    "Install the method that you need, and nothing else. Each package takes your model, your objective or your data.",
  ],
  [
    "Claims are code",
    "What a paper claims can be run and can fail. The table shows the paper's value beside the one that was measured.",
  ],
  [
    "Node and the page",
    "TypeScript over typed arrays with WebAssembly kernels: no native dependency, no server, the same code everywhere.",
  ],
  [
    "Gradients of anything",
    "grad, vmap, jvp and their compositions to any order, through linear algebra, loops and whole solvers.",
  ],
  [
    "Compiled when it pays",
    "A traced function becomes one ONNX graph, a training step included, and runs on ONNX Runtime: CPU or GPU.",
  ],
  ["Leaves no one behind", "Any traced function is a standard .onnx file, which Python, C++ and browsers can run."],
];

/** The home page. */
export function homePage({ methods, core }: Workspace, runsOf: (method: Package) => readonly StoredRun[]): string {
  const shown = methods.find((method) => runsOf(method).length > 0) ?? methods[0];
  const cards = features.map(([title, text]) => `<li><h3>${title}</h3><p>${text}</p></li>`);
  const areas = new Set(methods.map(({ paper }) => paper!.area)).size;
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return page(
    {
      title: "Offprint",
      titleTemplate: "Machine-learning papers as npm packages",
      layout: "page",
      pageClass: "home-page",
    },
    [
      "<main>",
      '<div class="hero">',
      '<div class="hero-text">',
      '<p class="eyebrow">Machine-learning papers as npm packages</p>',
      "<h1>Papers that run.</h1>",
      '<p class="lead">An <em>offprint</em> is a single article printed on its own. Here each one is a small package that does what the paper says, on your own problem, in Node or in a page, and that carries the paper\'s claims as runnable code.</p>',
      '<p class="actions"><a class="push primary" href="/guides/getting-started">Get started</a> <a class="push" href="/methods/">Browse the methods</a> <a class="push" href="/guides/which-method">Which one?</a> <a class="push" href="/gallery">Gallery</a> <a class="push" href="/playground">Open the playground</a></p>',
      "</div>",
      shown ? sheet(shown, runsOf(shown)) : "",
      "</div>",
    ].join("\n"),
    `<section class="tasks" aria-labelledby="tasks"><h2 id="tasks">What can I do with it?</h2><ul class="gallery">${methods.map(taskCard).join("")}</ul></section>`,
    `<section class="features" aria-labelledby="why"><h2 id="why">What you get</h2><ul>${cards.join("")}</ul></section>`,
    [
      '<section class="home-methods" aria-labelledby="methods">',
      `<h2 id="methods">${count(methods.length, "method")} in ${count(areas, "area")}, on ${count(core.length, "core package")}</h2>`,
      "",
      '<MethodList :heading-level="3" />',
      "",
      "</section>",
    ].join("\n"),
    "</main>",
  );
}
