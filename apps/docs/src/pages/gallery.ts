import { pictureImage } from "../pictures.js";
import { escapeHtml, inlineHtml, page } from "../workspace/markdown-document.js";
import type { ExampleGroup } from "./playground-page.js";

/** All programs of the playground with what they show. */
export function galleryPage(groups: readonly ExampleGroup[]): string {
  const sections = groups.flatMap(({ title, examples }) => {
    const shown = examples.filter(({ picture }) => picture !== undefined);
    if (shown.length === 0) return [];
    const items = shown.map((example) =>
      [
        `<li><a href="/playground#${escapeHtml(example.id)}">${pictureImage(example)}`,
        `<strong>${escapeHtml(example.title)}</strong></a>`,
        `<p>${inlineHtml(example.description)}</p></li>`,
      ].join(""),
    );
    return [`## ${title}\n\n<ul class="gallery" v-pre>${items.join("")}</ul>`];
  });
  return page(
    {
      title: "Gallery",
      description:
        "What the packages of Offprint do, in pictures; every one is drawn by a program that runs in the page.",
      aside: false,
      prev: false,
      next: false,
      pageClass: "wide-page",
    },
    "# Gallery",
    "Every picture is drawn by a program of a few lines. Open it in the playground, change it, and run it in the page.",
    ...sections,
  );
}
