// Text of a model as text: what was looked for is marked, and what would not show is named.

const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/gu;

function named(character) {
  const code = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  const element = document.createElement("span");
  element.className = "invisible";
  element.title = `An invisible character, ${code}`;
  element.textContent = code;
  return element;
}

// Nodes of the text with invisible characters as small labels.
export function revealed(text) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    nodes.push(text.slice(last, match.index), named(match[0]));
    last = match.index + match[0].length;
  }
  nodes.push(text.slice(last));
  return nodes.filter((node) => node !== "");
}

// Nodes of the text with the terms marked.
export function marked(text, terms) {
  const pattern = pattern_of(terms);
  if (!pattern) return [text];
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    if (!match[0]) continue;
    const mark = document.createElement("mark");
    mark.textContent = match[0];
    nodes.push(text.slice(last, match.index), mark);
    last = match.index + match[0].length;
  }
  nodes.push(text.slice(last));
  return nodes.filter((node) => node !== "");
}

function pattern_of(terms) {
  const escaped = (terms ?? []).filter(Boolean).map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return escaped.length ? new RegExp(escaped.join("|"), "giu") : null;
}

// Marks the terms in what stands below an element already.
export function mark_within(element, terms) {
  if (!pattern_of(terms)) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const node of texts) {
    const nodes = marked(node.data, terms);
    if (nodes.length > 1 || typeof nodes[0] !== "string") node.replaceWith(...nodes);
  }
}
