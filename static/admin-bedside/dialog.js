// A searchable dialog: type, arrow down, Enter. Used for conditions, pictures, people and sources alike.
import { make, say } from "bedside/words";

/**
 * Let the person choose one of what `search` (an address that takes ?term=) finds.
 * Resolves with {id, text, detail, thumbnail}, or null. `create` may be {label, start(done)}.
 */
export function choose({ title, search, pictures = false, create = null }) {
  return new Promise((resolve) => {
    const input = make("input", { type: "search", autocomplete: "off", id: "chooser-search" });
    const list = make("ul", { className: pictures ? "results pictures" : "results" });
    const status = make("p", { className: "status", "aria-live": "polite" });
    const more = make("button", { type: "button", className: "quiet", hidden: true }, say("more"));
    const close = make("button", { type: "button", className: "quiet" }, say("close"));
    const head = make("h2", { id: "chooser-title" }, title);
    const foot = make("p", { className: "foot" });
    const dialog = make("dialog", { className: "chooser", "aria-labelledby": "chooser-title" },
      head, make("label", { htmlFor: "chooser-search" }, say("search")), input, status, list, more, foot);
    let chosen = null;
    let page = 1;
    let turn = 0;

    const finish = (result) => { chosen = result; dialog.close(); };
    if (create) {
      const button = make("button", { type: "button" }, create.label);
      button.addEventListener("click", () => create.start((result) => { if (dialog.open) finish(result); }));
      foot.append(button);
    }
    foot.append(close);

    const row = (result) => {
      const button = make("button", { type: "button" });
      if (pictures) button.append(make("img", { src: result.thumbnail, alt: "", loading: "lazy" }));
      button.append(make("span", { className: "text" }, result.text));
      if (result.detail) button.append(make("span", { className: "detail" }, result.detail));
      button.addEventListener("click", () => finish(result));
      return make("li", {}, button);
    };

    const load = async (next) => {
      const mine = ++turn;
      const url = new URL(search, location.href);
      url.searchParams.set("term", input.value.trim());
      url.searchParams.set("page", String(next));
      try {
        const response = await fetch(url, { headers: { Accept: "application/json" } });
        if (!response.ok) throw new Error(String(response.status));
        const answer = await response.json();
        if (mine !== turn) return;
        page = next;
        const rows = answer.results.map(row);
        if (next === 1) list.replaceChildren(...rows);
        else list.append(...rows);
        more.hidden = !answer.pagination?.more;
        status.textContent = list.children.length
          ? say("found", { count: list.children.length + (more.hidden ? "" : "+") }) : say("nothing_found");
      } catch {
        if (mine === turn) status.textContent = say("failed");
      }
    };

    let wait;
    input.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => load(1), 150); });
    more.addEventListener("click", () => load(page + 1));
    close.addEventListener("click", () => finish(null));
    dialog.addEventListener("keydown", (event) => {
      const buttons = [...list.querySelectorAll("button")];
      const at = buttons.indexOf(document.activeElement);
      if (event.key === "ArrowDown" && buttons.length) buttons[Math.min(at + 1, buttons.length - 1)].focus();
      else if (event.key === "ArrowUp" && at >= 0) (buttons[at - 1] || input).focus();
      else if (event.key === "Enter" && document.activeElement === input) buttons[0]?.click();
      else return;
      event.preventDefault();
    });
    const before = document.activeElement;
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(chosen);
    });
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
    load(1);
  });
}

const waiting = new Map();

/** Open the page that makes a new one in a small window; `done(id, text)` when it was saved. */
export function popUp(address, done) {
  const name = `new_${waiting.size + 1}`;
  waiting.set(name, done);
  const url = new URL(address, location.href);
  url.searchParams.set("_popup", "1");
  window.open(url, name, "width=860,height=760,resizable=yes,scrollbars=yes")?.focus();
}

// Django's page that closes the small window calls this function of ours.
const django = window.dismissAddRelatedObjectPopup;
window.dismissAddRelatedObjectPopup = (popup, id, text) => {
  const done = waiting.get(popup.name);
  if (!done) return django?.(popup, id, text);
  waiting.delete(popup.name);
  popup.close();
  done(String(id), text);
};
