// What the wire sees: the bot's last calls to the platform, and what can be made to go wrong.
import { byId, el, fill } from "./dom.js";

const MISHAPS = [
  ["429", "429", "The platform refuses the next call: too many"],
  ["500", "500", "The platform fails at the next call"],
  ["reset", "Reset", "The connection breaks in the next call"],
  ["drop", "Drop connection", "The bot's connection for events is cut now"],
];

export class Wire {
  /** `mishap(name)` and `server(turn)` do what the buttons say. */
  constructor(mishap, server) {
    this.mishap = mishap;
    this.sum = el("p", { className: "sum" });
    this.armed = el("p", { className: "armed" });
    this.calls = el("ol", { className: "calls", tabIndex: 0, "aria-label": "Calls, the latest first" });
    const turn = (name, label, title) => el("button", { type: "button", title, onclick: () => server(name) }, label);
    this.restart = turn("restart", "Restart", "Stop the server in the midst of what it does, and start it again");
    this.stop = turn("stop", "Stop", "Stop the server in the midst of what it does. What is written meanwhile is answered later");
    this.start = turn("start", "Start", "Start the server again");
    this.turns = el("section", { "aria-label": "The server" }, el("h3", {}, "The server"),
      el("div", { className: "mishaps" }, this.restart, this.stop, this.start));
    const buttons = MISHAPS.map(([name, label, title]) =>
      el("button", { type: "button", title, onclick: () => this.mishap(name) }, label));
    const close = el("button", { type: "button", className: "quiet close", id: "wireclose" }, "Close");
    byId("wire").append(
      el("header", {}, el("h2", {}, "What the wire sees"), close), this.sum, this.calls,
      el("section", { "aria-label": "Mishaps" }, el("h3", {}, "Let the next call fail"), el("div", { className: "mishaps" }, ...buttons), this.armed), this.turns);
  }

  show(view) {
    this.turns.hidden = !view.restarts;
    this.restart.disabled = view.server !== "up";
    this.stop.disabled = view.server !== "up";
    this.start.disabled = view.server !== "down";
    const limited = view.calls.filter((call) => call.status === 429).length;
    const failed = view.calls.filter((call) => !call.open && (call.status === null || call.status >= 500)).length;
    const words = [`Last ${view.calls.length} calls`, `${limited} refused with 429`, `${failed} failed`];
    this.sum.textContent = words.join(" \u00b7 ");
    fill(this.armed, view.faults, () => view.faults.length
      ? [`Armed: ${view.faults.join(", ")}. `, el("button", { type: "button", className: "quiet", onclick: () => this.mishap("none") }, "Disarm")] : []);
    if (byId("wire").hidden) return;
    fill(this.calls, view.calls, () => view.calls.toReversed().map(row));
  }
}

function row(call) {
  const kind = call.open ? "open" : call.status === 429 ? "limited" : call.status === null || call.status >= 400 ? "bad" : "good";
  const status = call.open ? "\u2026" : call.status === null ? "cut" : String(call.status);
  return el("li", { className: kind, title: `${call.method} ${call.what}${call.fault ? `, made to fail: ${call.fault}` : ""}` },
    el("span", { className: "method" }, call.method), el("span", { className: "what" }, call.what),
    el("span", { className: "status" }, status), el("span", { className: "ms" }, call.ms === null ? "" : `${call.ms} ms`));
}
