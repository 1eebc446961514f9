// What a form needs, and no more: a page without rich text never loads the editor.
import "bedside/pick";

const has = (selector) => document.querySelector(selector) !== null;

document.documentElement.classList.add("scripted");
if (has("[data-tags]")) import("bedside/tags");

const rows = has("[data-parts]") ? import("bedside/parts") : null;
const texts = has("[data-rich-text], template[data-blank]") ? import("bedside/rich-text") : null;

if (rows && texts) {
  const [{ listen }, { watch }] = await Promise.all([rows, texts]);
  const library = has("[data-library-url]") ? await import("bedside/library") : null;
  const opened = (part) => { watch(part); if (library && "library" in part.dataset) library.show(part); };
  listen({
    opened,
    added: watch,
    // A condition was chosen: what does the library say of it?
    async changed(part, event) {
      if (!library || event?.type !== "change" || event.target.name !== `${part.id}-condition`) return;
      const condition = event.target.value;
      part.dataset.edition = "";
      const answer = condition ? await library.ask(condition) : null;
      if (event.target.value !== condition) return;
      part.dataset.edition = answer?.edition || "";
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
      if (part.querySelector("details").open) library.show(part);
    },
  });
  for (const part of document.querySelectorAll("[data-part]:has(details[open])")) opened(part);
}

const summary = document.querySelector("[data-errors], .conflict");
if (summary) summary.scrollIntoView({ block: "nearest" });
document.documentElement.dataset.ready = "";
