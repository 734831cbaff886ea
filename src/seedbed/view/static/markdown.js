// From the server's tree of Markdown to elements. Only these are made, whatever the tree says.

import { h } from "./dom.js";

const ELEMENTS = new Set([
  "p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "hr", "br", "code", "em",
  "strong", "s", "table", "thead", "tbody", "tr", "th", "td",
]);

export function rendered(tree) {
  return tree.map(node_of);
}

function node_of(node) {
  if (typeof node === "string") return node;
  const [name, attributes, children] = node;
  if (name === "a") return link(attributes.href, rendered(children));
  if (name === "pre") return block(attributes.language, children.join(""));
  if (name === "image") return h("span", { class: "image" }, `[image: ${children.join("")}] ${attributes.address}`);
  if (!ELEMENTS.has(name)) return rendered(children);
  if (name === "table") return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", {}, rendered(children).flat()));
  // Headings of a response are not headings of this page.
  if (/^h[1-6]$/.test(name)) return h("p", { class: `heading ${name}` }, rendered(children).flat());
  const element = h(name, {}, rendered(children).flat());
  if (name === "ol" && Number.isInteger(attributes.start)) element.start = attributes.start;
  if (attributes.align === "right" || attributes.align === "center") element.classList.add(attributes.align);
  return element;
}

function link(address, children) {
  if (!/^(https?|mailto):/i.test(address)) return h("span", {}, ...children.flat());
  return h("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank", title: address }, ...children.flat());
}

function block(language, text) {
  return h("pre", { tabindex: "0", "aria-label": language ? `Code, ${language}` : "Code" },
    language ? h("span", { class: "language" }, language) : null, h("code", {}, text));
}
