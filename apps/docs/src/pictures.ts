import { plotStyles } from "@offprint/claims";
import { escapeHtml } from "./workspace/markdown-document.js";
import type { Example } from "./workspace/workspace.js";

const night = /@media \(prefers-color-scheme:dark\)\{(.*\})\}$/;
const styles = {
  light: plotStyles().replace(night, ""),
  dark: plotStyles().replace(night, "$1"),
};

function addressOf({ id }: Example, shade: "light" | "dark"): string {
  return `/pictures/${id}.${shade}.svg`;
}

/** The pictures of programs as files for images, by address: one for light pages and one for dark ones. */
export function pictureFiles(examples: readonly Example[]): Map<string, string> {
  return new Map(
    examples.flatMap((example) =>
      (["light", "dark"] as const).map((shade) => [
        addressOf(example, shade),
        (example.picture ?? "").replace(/>/, `><style>${styles[shade]}</style>`),
      ]),
    ),
  );
}

/** The picture of a program in a page; the title beside it says what it is. */
export function pictureImage(example: Example): string {
  const size = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(example.picture ?? "");
  const place = size ? ` width="${size[1]}" height="${size[2]}"` : "";
  const image = (shade: "light" | "dark") =>
    `<img class="${shade}-only" src="${escapeHtml(addressOf(example, shade))}" alt="" loading="lazy"${place}>`;
  return image("light") + image("dark");
}
