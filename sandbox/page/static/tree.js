// Turns the trees of the server's markup.py into elements. Only the kinds below become one.
import { el } from "./dom.js";

const TAGS = {
  p: "p", strong: "strong", em: "em", u: "u", s: "s", code: "code", pre: "pre", quote: "blockquote", small: "small", hr: "hr",
  ul: "ul", ol: "ol", li: "li", table: "table", tr: "tr", th: "th", td: "td", span: "span",
  h1: "h3", h2: "h4", h3: "h5", h4: "h6", h5: "h6", h6: "h6",
};

function build(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const [outer, inner] = made(node);
  inner.append(...(node.c ?? []).map(build));
  outer.inner = inner;
  return outer;
}

/** The element of a node, and the one in it that its content goes into. */
function made(node) {
  if (node.t === "a") return alone(link(node.href));
  if (node.t === "mention") return alone(el("span", { className: "mention" }));
  if (node.t === "spoiler") return alone(spoiler());
  if (node.t === "pre") return code(node);
  const element = el(TAGS[node.t] ?? "span");
  if (node.t === "ol" && node.start !== 1) element.start = node.start;
  return node.t === "table" ? [el("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": "Table" }, element), element] : alone(element);
}

const alone = (element) => [element, element];

function link(href) {
  // The server lets only such addresses through; a second look costs nothing.
  if (!/^https?:\/\//i.test(href)) return el("span");
  return el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" });
}

function spoiler() {
  const show = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    const hidden = event.currentTarget;
    if (hidden.classList.contains("shown")) return;
    event.preventDefault();
    hidden.classList.add("shown");
    hidden.removeAttribute("role");
    hidden.removeAttribute("aria-label");
  };
  return el("span", { className: "spoiler", tabIndex: 0, role: "button", "aria-label": "Spoiler", onclick: show, onkeydown: show });
}

function code(node) {
  const text = el("code");
  const block = el("pre", { tabIndex: 0, role: "region", "aria-label": "Code" }, text);
  return [node.lang ? el("div", { className: "code" }, el("span", { className: "lang" }, node.lang), block) : block, text];
}

/** Show a tree in an element. What is as before is left alone, so that a growing text does not flicker, and what somebody has
 * selected or scrolled in it stays so. */
export function grow(element, nodes) {
  if (element.tree) change(element, element.tree, nodes);
  else element.append(...nodes.map(build));
  element.tree = nodes;
}

function change(element, before, now) {
  while (element.childNodes.length > now.length) element.lastChild.remove();
  now.forEach((node, at) => {
    const shown = element.childNodes[at];
    if (!shown) element.append(build(node));
    else if (typeof node === "string" && typeof before[at] === "string") reword(shown, before[at], node);
    else if (alike(before[at], node)) change(shown.inner, before[at].c ?? [], node.c ?? []);
    else shown.replaceWith(build(node));
  });
}

/** Whether two nodes differ in their content alone. */
function alike(one, other) {
  if (typeof one === "string" || typeof other === "string") return false;
  return one.t === other.t && one.href === other.href && one.lang === other.lang && one.start === other.start;
}

function reword(text, before, now) {
  let same = 0;
  const most = Math.min(before.length, now.length);
  while (same < most && before[same] === now[same]) same += 1;
  if (same < before.length || same < now.length) text.replaceData(same, before.length - same, now.slice(same));
}
