// Turns the trees of the server's markup.py into elements. Only the kinds below become one.
import { el } from "./dom.js";

const TAGS = {
  p: "p", strong: "strong", em: "em", u: "u", s: "s", code: "code", pre: "pre", quote: "blockquote", small: "small", hr: "hr",
  ul: "ul", ol: "ol", li: "li", table: "table", tr: "tr", th: "th", td: "td", span: "span",
  h1: "h3", h2: "h4", h3: "h5", h4: "h6", h5: "h6", h6: "h6",
};

function build(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const content = (node.c ?? []).map(build);
  if (node.t === "a") return link(node.href, content);
  if (node.t === "mention") return el("span", { className: "mention" }, ...content);
  if (node.t === "spoiler") return spoiler(content);
  if (node.t === "pre") return code(node, content);
  const made = el(TAGS[node.t] ?? "span", {}, ...content);
  if (node.t === "ol" && node.start !== 1) made.start = node.start;
  if (node.t !== "table") return made;
  return el("div", { className: "wide", tabIndex: 0 }, made);
}

function link(href, content) {
  // The server lets only such addresses through; a second look costs nothing.
  if (!/^https?:\/\//i.test(href)) return el("span", {}, ...content);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...content);
}

function spoiler(content) {
  const show = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.currentTarget.classList.add("shown");
  };
  const props = { className: "spoiler", tabIndex: 0, role: "button", "aria-label": "Spoiler", onclick: show, onkeydown: show };
  return el("span", props, ...content);
}

function code(node, content) {
  const block = el("pre", { tabIndex: 0 }, el("code", {}, ...content));
  return node.lang ? el("div", { className: "code" }, el("span", { className: "lang" }, node.lang), block) : block;
}

/** Show a tree in an element. What has not changed at its beginning is left as it is: a growing text does not flicker. */
export function grow(element, nodes) {
  const signs = nodes.map((node) => JSON.stringify(node));
  const before = element.signs ?? [];
  let same = 0;
  while (same < signs.length && signs[same] === before[same]) same += 1;
  while (element.childNodes.length > same) element.lastChild.remove();
  element.append(...nodes.slice(same).map(build));
  element.signs = signs;
}
