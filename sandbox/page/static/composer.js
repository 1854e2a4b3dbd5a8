// Writing: a text, files, a command from the bot's menu, the change of a message, an answer to one.
import { byId, el, fill, rest, size } from "./dom.js";

const MOST = 25e6; // bytes of all files of a message together
const PAUSE = 150; // milliseconds without a key after which it is asked what can be filled in

export class Composer {
  /**
   * `send(what)` does it and throws an error with a sentence; what is not taken stays in the box. `complete(text)` gives what can
   * be filled in at the end of a command. `last()` is the message that an arrow upwards changes.
   */
  constructor(send, complete, last) {
    this.send = send;
    this.complete = complete;
    this.last = last;
    this.files = [];
    this.drafts = new Map();
    this.menu = [];
    this.offered = [];
    this.chosen = 0;
    this.text = byId("text");
    this.list = byId("commands");
    byId("composer").addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("input", () => this.changed());
    this.text.addEventListener("blur", () => setTimeout(() => this.offer([]), 150));
    byId("about").querySelector("button").addEventListener("click", () => this.cancel());
    byId("attach").addEventListener("click", () => byId("picker").click());
    byId("picker").addEventListener("change", (event) => { this.add(event.target.files); event.target.value = ""; });
    this.text.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) { event.preventDefault(); this.add(event.clipboardData.files); }
    });
    const main = byId("main");
    main.addEventListener("dragover", (event) => { event.preventDefault(); main.classList.add("over"); });
    main.addEventListener("dragleave", (event) => { if (!main.contains(event.relatedTarget)) main.classList.remove("over"); });
    main.addEventListener("drop", (event) => { event.preventDefault(); main.classList.remove("over"); this.add(event.dataTransfer.files); });
  }

  /** Write in another place: what was begun in each is kept. */
  at(key, hint) {
    if (key === this.key_) return this.hint(hint);
    if (this.key_) this.drafts.set(this.key_, this.editing ? "" : this.text.value);
    this.key_ = key;
    this.editing = this.answering = null;
    this.files = [];
    this.text.value = this.drafts.get(key) ?? "";
    this.problem("");
    this.hint(hint);
    this.told();
    this.changed();
  }

  hint(hint) { this.text.placeholder = hint && innerWidth >= 760 ? `Write, for example: ${hint}` : hint || "Write"; }

  /** The commands that the bot offers here. */
  offers(menu) { this.menu = menu; }

  /** Begin with a text. */
  begin(text) {
    this.text.value = text;
    this.text.focus();
    this.text.setSelectionRange(text.length, text.length);
    this.changed();
  }

  edit(message) {
    this.answering = null;
    this.editing = message;
    this.told();
    this.begin(message.source);
  }

  reply(message) {
    this.editing = null;
    this.answering = message;
    this.told();
    this.text.focus();
  }

  /** Send a text at once. What was being written stays. */
  async say(text) {
    if (this.sending) return;
    this.sending = true;
    this.problem("");
    try {
      await this.send({ text, files: [] });
    } catch (error) {
      this.problem(error.message);
    } finally {
      this.sending = false;
    }
    rest();
  }

  cancel() {
    if (this.editing) this.text.value = "";
    this.editing = this.answering = null;
    this.told();
    this.changed();
    this.text.focus();
  }

  problem(text) { byId("problem").textContent = text; }

  told() {
    const words = this.editing ? "Editing your message." : this.answering ? `Answering ${this.answering.display}.` : "";
    byId("about").hidden = !words;
    byId("about").querySelector("span").textContent = words;
    this.point();
    fill(byId("files"), this.files.map((file) => [file.name, file.size]), () => this.files.map((file, at) => el("li", {},
      file.name, " ", el("span", { className: "note" }, size(file.size)),
      el("button", { type: "button", className: "quiet", "aria-label": `Take ${file.name} away`, onclick: () => this.take(at) }, "\u00d7"))));
  }

  /** Show which message is meant. */
  point() {
    const meant = (this.editing ?? this.answering)?.id;
    for (const item of document.querySelectorAll("[data-chosen]")) delete item.dataset.chosen;
    const item = meant && document.querySelector(`[data-id="${CSS.escape(meant)}"]`);
    if (!item) return;
    item.dataset.chosen = "";
    item.scrollIntoView({ block: "nearest" });
  }

  take(at) { this.files.splice(at, 1); this.told(); this.text.focus(); }

  add(files) {
    const all = [...this.files, ...files];
    if (all.reduce((sum, file) => sum + file.size, 0) > MOST) return this.problem(`Files may have ${size(MOST)} together.`);
    this.files = all.slice(0, 10);
    this.problem(all.length > 10 ? "A message takes ten files." : "");
    this.told();
    this.text.focus();
  }

  async submit() {
    const text = this.text.value.trim();
    if ((!text && !this.files.length) || this.sending) return;
    const { editing, answering, files, key_ } = this;
    this.sending = true;
    this.problem("");
    this.offer([]);
    this.text.value = "";
    this.files = [];
    this.editing = this.answering = null;
    this.told();
    this.changed();
    try {
      await this.send({ text, editing, answering, files: await Promise.all(files.map(read)) });
    } catch (error) {
      if (key_ === this.key_) Object.assign(this, { editing, answering, files });
      if (key_ === this.key_ && !this.text.value) this.text.value = text;
      this.told();
      this.problem(error.message);
      this.changed(true);
    } finally {
      this.sending = false;
    }
  }

  changed(keep = false) {
    if (!keep && this.text.value) this.problem("");
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, innerHeight * 0.4)}px`;
    const typed = /^\/(\S*)$/.exec(this.text.value);
    const called = this.menu.find((each) => this.text.value.startsWith(`${each.name} `) && each.options?.length);
    byId("usage").hidden = !called || Boolean(this.editing);
    if (called) byId("usage").textContent = `${called.name} ${called.options.join(" ")}${called.named ? " \u00b7 name:value fills one in" : ""}`;
    clearTimeout(this.asking);
    if (called?.completes && !this.editing) this.asking = setTimeout(() => this.ask(), PAUSE);
    else this.offer(typed && !this.editing ? this.menu.filter((each) => each.name.startsWith(this.text.value)) : []);
  }

  /** Ask for what can be filled in. It comes too late if something else is written by then. */
  async ask() {
    const { key_ } = this;
    const text = this.text.value;
    const now = () => key_ === this.key_ && text === this.text.value && document.activeElement === this.text;
    try {
      const choices = await this.complete(text);
      if (now()) this.offer(choices.filter((each) => each.insert !== text), -1);
    } catch (error) {
      if (!now()) return;
      this.offer([]);
      byId("usage").textContent = error.message;
    }
  }

  /** What can be picked, and which of it Enter picks: with -1 nothing before an arrow has chosen it. */
  offer(offered, chosen = 0) {
    this.offered = offered;
    this.chosen = chosen;
    this.list.hidden = !offered.length;
    this.list.replaceChildren(...offered.map((each, at) => el("li",
      { role: "option", id: `command${at}`, onpointerdown: (event) => { event.preventDefault(); this.pick(at); } },
      el("code", {}, each.name), ...(each.options ?? []).map((option) => el("span", { className: "option" }, option)), el("span", { className: "note" }, each.about))));
    this.list.scrollTop = 0;
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === this.chosen)));
    if (this.offered.length && this.chosen >= 0) {
      this.text.setAttribute("aria-activedescendant", `command${this.chosen}`);
      this.list.children[this.chosen].scrollIntoView({ block: "nearest" });
    } else this.text.removeAttribute("aria-activedescendant");
  }

  pick(at) {
    const { insert } = this.offered[at];
    this.offer([]);
    this.begin(insert);
    if (!insert.endsWith(" ")) clearTimeout(this.asking); // a value was picked: it is not asked for once more
  }

  /** Whether a key takes what is offered: Enter only what is chosen, and not a command that is there in full. */
  picks({ key, shiftKey }) {
    if (shiftKey) return false;
    return key === "Tab" || (key === "Enter" && this.chosen >= 0 && this.text.value !== this.offered[this.chosen].name);
  }

  key(event) {
    if (event.isComposing) return;
    const open = this.offered.length > 0;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (open && step) {
      event.preventDefault();
      const from = this.chosen < 0 && step < 0 ? 0 : this.chosen;
      this.chosen = (from + step + this.offered.length) % this.offered.length;
      this.mark();
    } else if (open && this.picks(event)) {
      event.preventDefault();
      this.pick(Math.max(this.chosen, 0));
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && (open || this.editing || this.answering)) {
      event.stopPropagation();
      clearTimeout(this.asking);
      if (open) this.offer([]);
      else this.cancel();
    } else if (event.key === "ArrowUp" && !this.text.value && !this.editing) {
      const mine = this.last();
      if (mine) { event.preventDefault(); this.edit(mine); }
    }
  }
}

function read(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done({ name: file.name, data: reader.result.slice(reader.result.indexOf(",") + 1) });
    reader.onerror = () => failed(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}
