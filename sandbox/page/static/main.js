// Puts the parts together: what the server tells is shown, what people do is sent to it.
import { Composer } from "./composer.js";
import { byId, el, fill, rest } from "./dom.js";
import { act, Live } from "./live.js";
import { Messages } from "./messages.js";
import { address, label, route, showSide } from "./places.js";
import { Wire } from "./wire.js";

const STEP = 60; // how many messages more are shown at a time
const QUIET = 1500; // milliseconds after which a reply that no longer grows is read out
const STATES = { starting: "starting", stopping: "stopping", down: "stopped" };
let view = null;
let most = STEP;
let shown = "";
let asked = null; // when and where the person wrote last: a thread that opens on it is followed
let toasted = null;

const live = new Live(see, () => banner("lost", "The connection to the demo is lost. Trying again …"));
const messages = new Messages({
  press: (message, button) => attempt("press", { message: message.id, button: button.id }),
  react: (message, emoji, remove) => attempt("react", { message: message.id, emoji, remove }),
  remove: (message) => attempt("delete", { message: message.id }),
  edit: (message) => composer.edit(message),
  reply: (message) => composer.reply(message),
});
const composer = new Composer(send, complete, () => view?.messages.findLast((each) => each.mine && each.may?.includes("edit")));
const wire = new Wire((mishap) => attempt("mishap", { mishap }), (turn) => attempt("server", { turn }));

function see(now, whole) {
  view = now;
  const key = `${view.platform}/${view.as}/${view.in}`;
  if (whole && key !== shown) {
    messages.clear();
    spoken.clear();
    toasted = null;
    shown = key;
    history.replaceState(null, "", address(view.platform, view.as, view.in));
  } else if (whole) composer.problem("");
  document.documentElement.dataset.platform = view.platform;
  const place = view.places.find((each) => each.id === view.in) ?? { name: "", kind: "thread", hint: "" };
  const above = view.places.find((each) => each.id === place.under);
  byId("place").textContent = label(place);
  byId("up").hidden = !above;
  if (above) Object.assign(byId("up"), { href: address(view.platform, view.as, above.id), textContent: label(above) });
  document.title = `${label(place)} · ${view.platforms.find((each) => each.name === view.platform).title} · Threadline demo`;
  if (whole && view.gone) say(view.gone);
  if (view.server === "up") banner("", "");
  else banner("restart", `The server is ${STATES[view.server]}. What you write meanwhile is answered when it is back.`);
  showSide(view, go);
  empty(place);
  byId("earlier").hidden = !view.earlier;
  messages.show(view);
  busy();
  composer.at(key, place.hint);
  composer.offers(view.menu);
  prompts();
  wire.show(view);
  toast();
  speak(whole);
  followThread();
}

function go(platform, by, place) { location.hash = address(platform, by, place); }

function open() {
  const { platform, by, place } = route();
  const remembered = platform && !by ? sessionStorage.getItem(`at ${platform}`) : null;
  if (remembered && !place) return history.replaceState(null, "", remembered), open();
  if (view && place && `${platform}/${by}/${place}` !== shown) most = STEP;
  if (place) sessionStorage.setItem(`at ${platform}`, location.hash);
  drawer(false);
  live.follow({ platform, as: by, in: place, most });
}

function empty(place) {
  byId("empty").hidden = view.messages.length > 0;
  fill(byId("empty"), [place.hint, place.kind], () => [
    el("p", {}, place.kind === "direct" ? "A direct chat: just write." : "Nothing has been said here. In a channel, mention the bot; in a thread, just write."),
    el("button", { type: "button", onclick: () => composer.begin(place.hint) }, place.hint),
  ]);
}

function busy() {
  clearTimeout(busy.timer);
  const left = view.busy.filter((each) => each.until * 1000 > Date.now());
  fill(byId("busy"), left.map((each) => [each.who, each.what, each.button]), () => left.flatMap((each) => [
    each.what ? `${each.who} ${each.what.replace(/(\.\.\.|…)$/, "").trim()} … ` : "",
    each.button ? el("button", { type: "button", className: "quiet", onclick: () => attempt("press", { message: each.button.message, button: each.button.id }) }, each.button.label) : ""]));
  if (left.length) busy.timer = setTimeout(busy, Math.min(...left.map((each) => each.until * 1000 - Date.now())) + 50);
}

function banner(kind, text) {
  const element = byId("banner");
  if (element.textContent !== text) element.textContent = text;
  element.className = kind;
}

async function attempt(what, body) {
  try {
    await act(what, { platform: view.platform, as: view.as, ...body });
  } catch (error) {
    say(error.message);
  }
}

async function send({ text, editing, answering, files }) {
  const who = { platform: view.platform, as: view.as };
  if (editing) return void (await act("edit", { ...who, message: editing.id, text }));
  asked = { key: shown, at: Date.now() / 1000 - 2 };
  messages.toBottom();
  await act("write", { ...who, in: view.in, text, files, reply_to: answering?.id ?? null });
}

/** What can be filled in at the end of a command that is being written. */
async function complete(text) {
  return (await act("complete", { platform: view.platform, as: view.as, in: view.in, text })).choices;
}

function prompts() {
  byId("prompts").hidden = !view.prompts;
  byId("prompts").setAttribute("aria-label", view.prompts?.title || "Suggestions");
  fill(byId("prompts"), view.prompts, () => (view.prompts ? [
    el("span", { className: "note", "aria-hidden": "true" }, view.prompts.title),
    ...view.prompts.prompts.map((each) => el("button", { type: "button", title: each.message, onclick: () => composer.say(each.message) }, each.title)),
  ] : []));
}

function followThread() {
  if (!asked || asked.key !== shown || byId("text").value) return;
  const found = view.messages.findLast((each) => each.at >= asked.at && each.thread && each.thread.count > 0 && (each.mine || each.bot));
  if (!found) return;
  asked = null;
  go(view.platform, view.as, found.thread.place);
}

function toast() {
  const known = toasted ?? new Set(view.toasts.map((each) => each.id));
  for (const each of view.toasts) if (!known.has(each.id)) say(each.text);
  toasted = new Set(view.toasts.map((each) => each.id));
}

function say(text) {
  const made = el("p", {}, text);
  byId("toasts").append(made);
  setTimeout(() => made.remove(), 6000);
}

// Replies are read out once they have stopped growing, not letter by letter.
const spoken = new Map();
function speak(whole) {
  for (const each of view.messages.filter((one) => one.bot)) {
    const sign = JSON.stringify(each.body);
    const before = spoken.get(each.id);
    if (before?.sign === sign) continue;
    clearTimeout(before?.timer);
    const timer = whole ? 0 : setTimeout(() => { byId("spoken").textContent = `${each.display}: ${words(each.body)}`; }, QUIET);
    spoken.set(each.id, { sign, timer });
  }
}

const words = (nodes) => nodes.map((node) => (typeof node === "string" ? node : `${words(node.c ?? [])} `)).join("").trim();

const narrow = matchMedia("(max-width: 759px)");
const wide = matchMedia("(min-width: 1200px)");

function drawer(open) {
  document.body.classList.toggle("drawer", open);
  byId("menu").setAttribute("aria-expanded", String(open));
  veil();
  if (!open && narrow.matches && byId("side").contains(document.activeElement)) byId("menu").focus();
}

function wires(open) {
  byId("wire").hidden = !open;
  byId("wirebutton").setAttribute("aria-expanded", String(open));
  veil();
  if (open && view) wire.show(view);
}

function remember() { localStorage.setItem("wire", byId("wire").hidden ? "closed" : "open"); }

/** What lies over the middle takes the keys, too. */
function veil() {
  const over = { side: narrow.matches && document.body.classList.contains("drawer"), wire: !wide.matches && !byId("wire").hidden };
  byId("veil").hidden = !over.side && !over.wire;
  byId("main").inert = over.side || over.wire;
}

for (const each of [narrow, wide]) each.addEventListener("change", veil);
byId("menu").addEventListener("click", () => {
  drawer(true);
  (byId("places").querySelector("[aria-current]") ?? byId("platforms").querySelector("[tabindex='0']"))?.focus();
});
byId("wirebutton").addEventListener("click", () => {
  wires(byId("wire").hidden);
  remember();
  if (byId("main").inert) byId("wireclose").focus();
});
byId("wireclose").addEventListener("click", () => { wires(false); remember(); byId("wirebutton").focus(); });
byId("veil").addEventListener("click", () => { drawer(false); wires(false); });
byId("skip").addEventListener("click", (event) => { event.preventDefault(); byId("text").focus(); });
byId("earlier").addEventListener("click", () => { most += STEP; open(); byId("scroll").focus({ preventScroll: true }); });
addEventListener("hashchange", open);
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  drawer(false);
  if (!wide.matches) wires(false);
  rest();
});
wires(wide.matches ? localStorage.getItem("wire") !== "closed" : false);
rest();
open();
