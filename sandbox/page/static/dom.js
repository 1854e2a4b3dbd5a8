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

/** Whether there is a mouse. Without one the box is not entered unasked: that would bring up a keyboard on the screen. */
const mouse = matchMedia("(hover: hover)").matches;

/** Fill an element anew if what it is made from has changed since; so the focus and a press in progress stay. */
export function fill(element, from, make) {
  const sign = JSON.stringify(from);
  if (element.made === sign) return;
  element.made = sign;
  const at = [...element.children].findIndex((each) => each.contains(document.activeElement));
  const focused = element.children[at];
  element.replaceChildren(...make());
  if (!focused) return;
  const again = [...element.children].find((each) => alike(each, focused)) ?? element.children[at];
  again?.focus();
  if (!element.contains(document.activeElement)) rest();
}

/** Whether two elements lead to the same or say the same. */
const alike = (one, other) => (other.href ? one.href === other.href : one.textContent === other.textContent);

/** Where the focus goes when what had it is gone. */
export function rest() {
  if (mouse) byId("text").focus();
}

/** The keys with arrows move the focus among the buttons of a group, which is one stop of the Tab key. `moved` is told where to. */
export function roving(group, moved = () => {}) {
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = [...group.querySelectorAll("button")];
    if (!step || !all.length) return;
    event.preventDefault();
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    for (const each of all) each.tabIndex = each === next ? 0 : -1;
    next.focus();
    moved(next);
  });
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
