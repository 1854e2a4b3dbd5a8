// Elements are only ever made here and in tree.js. Texts become text nodes: nothing that is said is read as HTML.

/** An element with properties and content. Properties with a hyphen, `role` and `for` are attributes. */
export function el(tag, props = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name === "data") Object.assign(made.dataset, value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role") made.setAttribute(name, String(value));
    else made[name] = value;
  }
  made.append(...content.filter((each) => each !== null && each !== undefined));
  return made;
}

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** Fill an element anew if what it is made from has changed since; so the focus and a press in progress stay. */
export function fill(element, from, make) {
  const sign = JSON.stringify(from);
  if (element.made === sign) return;
  element.made = sign;
  const focused = [...element.children].findIndex((each) => each.contains(document.activeElement));
  element.replaceChildren(...make());
  if (focused !== -1) element.children[focused]?.focus();
}

/** A time as a clock shows it. */
export const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** A size in the unit that fits. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
