// What the server tells: everything first, then what has become different. A lost connection is taken up again by itself.

/** Put what is different into a list of things with ids. */
export function merged(list, change) {
  const gone = new Set(change.gone);
  const now = list.filter((each) => !gone.has(each.id));
  for (const { after, ...each } of change.set) {
    const at = now.findIndex((other) => other.id === each.id);
    if (at !== -1) now[at] = each;
    else now.splice(after === null ? 0 : now.findIndex((other) => other.id === after) + 1, 0, each);
  }
  return now;
}

/** Put what is different into what was told before. */
export function applied(seen, told) {
  const now = { ...seen };
  for (const [name, value] of Object.entries(told)) {
    now[name] = name === "messages" || name === "calls" ? merged(seen[name], value) : value;
  }
  return now;
}

/** Follows one view at a time. `seen(view, whole)` is told of each state, `lost()` when the connection breaks. */
export class Live {
  constructor(seen, lost) {
    this.seen = seen;
    this.lost = lost;
    this.view = null;
  }

  /** Follow another view. */
  follow(query) {
    clearTimeout(this.again);
    this.source?.close();
    const source = new EventSource(`events?${new URLSearchParams(query)}`);
    this.source = source;
    source.addEventListener("all", (event) => {
      this.view = JSON.parse(event.data);
      this.seen(this.view, true);
    });
    source.addEventListener("some", (event) => {
      this.view = applied(this.view, JSON.parse(event.data));
      this.seen(this.view, false);
    });
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.lost();
      // The browser itself tries again unless it was refused.
      if (source.readyState === EventSource.CLOSED) this.again = setTimeout(() => this.follow(query), 2000);
    });
  }
}

/** Do something. Throws an error with a sentence for people. */
export async function act(what, body) {
  let response;
  try {
    const headers = { "Content-Type": "application/json" };
    response = await fetch(`do/${what}`, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Error("The demo does not answer. Is it still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `That was refused: ${response.status}.`);
  return answer;
}
