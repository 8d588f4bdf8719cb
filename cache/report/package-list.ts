import { markup, type Markup } from "./markup.ts";
import type { SizeNode } from "./size-tree.ts";

/** All packages as folded lists: providers, in them modules, in those a table. */
export function packageList(tree: readonly SizeNode[], size: (bytes: number) => string): Markup {
  return markup`${tree.map((provider) => {
    const modules = provider.children.map(
      (module) => markup`<details>${summary(module, size)}
<table><tbody>
${module.children.map(
  ({ name, bytes, compressed }) =>
    markup`<tr data-name="${name}"><td class="path">${name}</td><td class="n">${size(compressed)}</td><td class="n">${size(bytes)}</td></tr>\n`,
)}</tbody></table></details>\n`,
    );
    return markup`<details id="in-${provider.name}">${summary(provider, size)}\n${modules}</details>\n`;
  })}<p class="note">Of each: compressed by itself, and on disk as plain files.</p>`;
}

function summary({ name, bytes, compressed }: SizeNode, size: (bytes: number) => string): Markup {
  return markup`<summary>${name} <span class="n">${size(compressed)} compressed, ${size(bytes)} on disk</span></summary>`;
}
