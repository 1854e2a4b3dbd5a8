// The messages of a place. Each keeps its element, and each part of it is only made anew when it has changed.
import { byId, clock, el, fill, rest, roving, size } from "./dom.js";
import { address, avatar } from "./places.js";
import { grow } from "./tree.js";

const SIGNS = ["\u{1F44D}", "\u{1F440}", "\u2764"];
const NEAR = 48; // pixels from the bottom that still count as being there
const TOGETHER = 300; // seconds within which messages of one person stand together

/** The heart is a letter unless it is followed by a sign that makes it a picture. */
const coloured = (sign) => (sign === "\u2764" ? `${sign}\uFE0F` : sign);

export class Messages {
  /** `doing` has edit, remove, reply, react and press: what the buttons of a message do. */
  constructor(doing) {
    this.doing = doing;
    this.items = new Map();
    this.list = byId("messages");
    this.scroll = byId("scroll");
    this.newer = byId("newer");
    this.newer.addEventListener("click", () => this.toBottom());
    this.scroll.addEventListener("scroll", () => this.end(), { passive: true });
    new ResizeObserver(() => { if (this.stuck) this.toBottom(); }).observe(this.scroll);
    this.stuck = true;
  }

  atBottom() {
    this.stuck = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR;
    return this.stuck;
  }

  toBottom() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.newer.hidden = true;
    this.stuck = true;
  }

  /** Offer the way to the end to whoever is further up, and say whether something new is there. */
  end(news = false) {
    const there = this.atBottom();
    if (news) this.newer.textContent = "New messages";
    else if (this.newer.hidden) this.newer.textContent = "To the end";
    this.newer.hidden = there;
  }

  /** Forget everything: another place is shown. */
  clear() {
    this.items.clear();
    this.list.replaceChildren();
    this.newer.hidden = true;
    this.stuck = true;
  }

  /** Show what there is now. Whoever reads further up stays there. */
  show(view) {
    const first = this.items.size === 0;
    const stuck = first || this.atBottom();
    const last = view.messages.at(-1)?.id;
    const news = !first && last !== undefined && !this.items.has(last);
    const left = new Set(this.items.keys());
    const top = this.scroll.getBoundingClientRect().top;
    const read = stuck ? null : [...this.list.children].find((item) => item.getBoundingClientRect().bottom > top);
    const at = read?.getBoundingClientRect().top;
    let before = null;
    view.messages.forEach((each, index) => {
      left.delete(each.id);
      let item = this.items.get(each.id);
      if (!item) {
        item = this.made(each);
        this.items.set(each.id, item);
      }
      this.update(item, each, view, view.messages[index - 1]);
      const place = before ? before.nextSibling : this.list.firstChild;
      if (place !== item) this.list.insertBefore(item, place);
      before = item;
    });
    for (const id of left) {
      const focused = this.items.get(id).contains(document.activeElement);
      this.items.get(id).remove();
      this.items.delete(id);
      if (focused) rest();
    }
    if (stuck) this.toBottom();
    else {
      if (read?.isConnected) this.scroll.scrollTop += read.getBoundingClientRect().top - at;
      this.end(news);
    }
  }

  made(each) {
    const parts = {};
    for (const name of ["head", "reply", "body", "files", "buttons", "reactions", "thread"]) parts[name] = el("div", { className: name });
    const acts = el("div", { className: "acts", role: "toolbar", "aria-label": "What can be done to this message" });
    const item = el("li", { data: { id: each.id } }, avatar(each.author, each.display), el("div", { className: "in" }, ...Object.values(parts)), acts);
    if (matchMedia("(hover: none)").matches) item.tabIndex = -1; // a tap shows what can be done
    roving(acts);
    item.parts = { ...parts, acts };
    return item;
  }

  update(item, each, view, before) {
    const { parts } = item;
    const near = before && before.author === each.author && before.display === each.display && each.at - before.at < TOGETHER;
    const joined = Boolean(near) && !each.reply && Boolean(before.alone) === Boolean(each.alone) && !before.thread;
    const from = [each, joined, view.as];
    if (item.from?.every((one, at) => one === from[at])) return;
    item.from = from;
    item.className = ["message", each.bot && "bot", each.mine && "mine", joined && "joined", each.alone && "alone", each.state]
      .filter(Boolean).join(" ");
    fill(parts.head, [each.display, each.bot, each.at, each.edited, each.alone], () => this.head(each));
    fill(parts.reply, each.reply ?? null, () => (each.reply ? [el("span", {}, each.reply)] : []));
    grow(parts.body, each.body);
    fill(parts.files, [each.files ?? [], view.as], () => (each.files ?? []).map((file) => this.file(each, file, view)));
    fill(parts.buttons, each.buttons ?? [], () => (each.buttons ?? []).map((button) => this.button(each, button)));
    fill(parts.reactions, each.reactions ?? [], () => (each.reactions ?? []).map((one) => this.reaction(each, one)));
    fill(parts.thread, [each.thread ?? null, view.as], () => (each.thread ? [this.thread(each.thread, view)] : []));
    fill(parts.acts, [each.may ?? [], view.replies, each.reactions ?? []], () => this.acts(each, view));
  }

  head(each) {
    const when = el("time", { dateTime: new Date(each.at * 1000).toISOString() }, clock(each.at));
    const head = [el("span", { className: "who" }, each.display)];
    if (each.bot) head.push(el("span", { className: "tag" }, "app"));
    head.push(when);
    if (each.edited) head.push(el("span", { className: "note" }, "edited"));
    if (each.alone) head.push(el("span", { className: "note" }, "only you see this"));
    return head;
  }

  file(each, file, view) {
    const query = new URLSearchParams({ as: view.as });
    const href = `file/${[view.platform, each.id, file.id].map(encodeURIComponent).join("/")}?${query}`;
    const name = el("a", { href, download: file.name, className: "name" }, file.name);
    const line = el("span", { className: "file" }, name, el("span", { className: "note" }, size(file.size)));
    if (!file.shown) return line;
    const picture = el("img", { src: href, alt: file.name, loading: "lazy", decoding: "async" });
    const box = el("a", { href, target: "_blank", rel: "noopener" }, picture);
    picture.addEventListener("error", () => box.remove()); // it only has the name of a picture
    return el("figure", {}, box, el("figcaption", {}, line));
  }

  button(each, button) {
    const press = () => this.doing.press(each, button);
    return el("button", { type: "button", className: button.style ?? "", disabled: Boolean(button.off), onclick: press }, button.label);
  }

  reaction(each, one) {
    const press = () => this.doing.react(each, one.id, one.mine);
    const props = { type: "button", "aria-pressed": one.mine, onclick: press, title: one.id };
    return el("button", props, coloured(one.sign), " ", el("span", {}, String(one.count)));
  }

  thread(thread, view) {
    const count = `${thread.count} ${thread.count === 1 ? "message" : "messages"}`;
    return el("a", { href: address(view.platform, view.as, thread.place) },
      el("strong", {}, thread.name), el("span", { className: "note" }, count), el("span", { className: "last" }, thread.last ?? ""));
  }

  acts(each, view) {
    const may = new Set(each.may ?? []);
    const made = [];
    const add = (name, run, words) => {
      const tabIndex = made.length ? -1 : 0; // one stop of the Tab key for all of them
      made.push(el("button", { type: "button", onclick: run, title: words, "aria-label": words, tabIndex }, name));
    };
    if (may.has("react")) {
      const mine = new Set((each.reactions ?? []).filter((one) => one.mine).map((one) => one.sign));
      for (const sign of SIGNS) if (!mine.has(sign)) add(coloured(sign), () => this.doing.react(each, sign, false), `React with ${sign}`);
    }
    if (may.has("reply") && view.replies) add("Reply", () => this.doing.reply(each), "Reply to this message");
    if (may.has("edit")) add("Edit", () => this.doing.edit(each), "Edit this message");
    if (may.has("delete")) add("Delete", () => this.doing.remove(each), "Delete this message");
    return made;
  }
}
