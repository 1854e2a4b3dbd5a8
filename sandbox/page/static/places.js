// The side: which platform, who one is, and where.
import { byId, el, fill, roving } from "./dom.js";

/** Where a place is found: a part of the address behind its #. */
export const address = (platform, by, place) => `#/${[platform, by, place].map(encodeURIComponent).join("/")}`;

/** What the address says. */
export function route() {
  const [platform = "", by = "", place = ""] = location.hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  return { platform, by, place };
}

/** A place's name as its platform writes it. */
export const label = (place) => (place.kind === "channel" ? `# ${place.name}` : place.name);

for (const id of ["platforms", "people"]) roving(byId(id), (next) => next.click());

/** Show the side. `go(platform, by, place)` leads elsewhere. */
export function showSide(view, go) {
  const here = { platform: view.platform, by: view.as, place: view.in };
  fill(byId("platforms"), [view.platforms, here.platform], () =>
    view.platforms.map((each) => {
      const on = each.name === view.platform;
      const press = () => go(each.name, "", "");
      return el("button", { type: "button", role: "radio", "aria-checked": on, tabIndex: on ? 0 : -1, onclick: press }, each.title);
    }),
  );
  fill(byId("people"), [view.people, here.by], () =>
    view.people.map((each) => {
      const on = each.name === view.as;
      const press = () => go(view.platform, each.name, view.in);
      const props = { type: "button", role: "radio", "aria-checked": on, tabIndex: on ? 0 : -1, onclick: press };
      return el("button", props, avatar(each.name, each.display), each.display);
    }),
  );
  const news = unread(view);
  fill(byId("places"), [view.places, here, [...news]], () =>
    view.places.map((each) => {
      const href = address(view.platform, view.as, each.id);
      const current = each.id === view.in ? "page" : undefined;
      const sign = { channel: "#", direct: "@", group: "\u25e6" }[each.kind] ?? "";
      return el("a", { href, className: news.has(each.id) ? `${each.kind} news` : each.kind, "aria-current": current, title: each.name },
        el("span", { className: "sign", "aria-hidden": "true" }, sign), el("span", { className: "name" }, each.name),
        news.has(each.id) ? el("span", { className: "dot" }, el("span", { className: "unseen" }, "new messages")) : null);
    }),
  );
  const current = byId("places").querySelector("[aria-current]");
  if (current && current !== showSide.last) current.scrollIntoView({ block: "nearest" });
  showSide.last = current;
}

/** Places where something was written since they were last shown. What was there when the page was opened is not new. */
function unread(view) {
  const person = `${view.platform}/${view.as}`;
  const known = unread.seen.get(person) ?? new Map(view.places.map((each) => [each.id, each.last]));
  unread.seen.set(person, known);
  const here = view.places.find((each) => each.id === view.in);
  if (here) known.set(here.id, here.last);
  return new Set(view.places.filter((each) => known.get(each.id) !== each.last).map((each) => each.id));
}
unread.seen = new Map();

/** A round sign for a person: the first letter, in a colour of their own. */
export function avatar(name, display) {
  let hue = 0;
  for (const each of name) hue = (hue * 31 + each.codePointAt(0)) % 7;
  return el("span", { className: `avatar tone${hue}`, "aria-hidden": "true" }, [...display][0] ?? "?");
}
