// The library's text under an entry's blank one: shown when the row opens, and one press from being adapted.
import { setText } from "bedside/rich-text";
import { make, say } from "bedside/words";

const base = document.querySelector("[data-library-url]")?.dataset.libraryUrl;
const known = new Map();
const put = new WeakMap(); // what a person's own text was before the library's was chosen

/** What the library says of a condition: {edition, text, treatment}. */
export function ask(condition, edition = "") {
  const url = `${base.replace("/0/", `/${condition}/`)}?edition=${edition}`;
  if (!known.has(url)) {
    known.set(url, fetch(url).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    }).catch(() => { known.delete(url); return null; }));
  }
  return known.get(url);
}

/** Show the library's text in this row, or that there is none. */
export async function show(part) {
  const condition = part.querySelector('input[name$="-condition"]')?.value;
  const library = condition ? await ask(condition, part.dataset.edition || "") : null;
  for (const name of ["text", "treatment"]) {
    const textarea = part.querySelector(`textarea[name$="-${name}"]`);
    if (!textarea) continue;
    const row = textarea.closest(".form-row");
    row.querySelector("[data-library-panel]")?.remove();
    if (condition && library) row.append(panel(part, textarea, name, library));
  }
}

function panel(part, textarea, name, library) {
  const box = make("div", { className: "library-panel", "data-library-panel": "" });
  const says = name === "text" ? "library_says" : "library_treatment_says";
  const draw = () => {
    const own = hasWords(textarea.value);
    if (!library.edition) {
      box.replaceChildren(make("p", { className: "library-state" }, own ? "" : say("library_none")));
      box.hidden = own;
      return;
    }
    const text = make("div", { className: "library-text" });
    text.innerHTML = library[name]; // cleaned by the same allow-list as everything else that is shown
    const button = make("button", { type: "button", className: "quiet" }, say(own ? "library_use" : "library_adapt"));
    button.addEventListener("click", () => {
      if (own) put.set(textarea, textarea.value);
      setText(textarea, own ? "" : library[name]);
    });
    const buttons = make("p", { className: "library-buttons" }, button);
    if (!own && put.has(textarea)) {
      const back = make("button", { type: "button", className: "quiet" }, say("library_back"));
      back.addEventListener("click", () => setText(textarea, put.get(textarea)));
      buttons.append(back);
    }
    box.replaceChildren(
      make("p", { className: "library-head" }, make("b", {}, say(says, { edition: library.edition })), " ",
        say(own ? "library_hidden" : "library_shown")), text, buttons);
    box.classList.toggle("unused", own);
  };
  let own = hasWords(textarea.value);
  textarea.addEventListener("input", () => {
    if (hasWords(textarea.value) !== own && box.isConnected) { own = !own; draw(); }
  });
  draw();
  return box;
}

/** Whether a text says anything; an editor's empty paragraph does not. */
export function hasWords(html) {
  return html.replace(/<[^>]*>|&nbsp;/g, "").trim() !== "";
}
