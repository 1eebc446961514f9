// Prose editors that start when they are first seen. Thirty of them at once would cost two seconds; a closed row
// costs nothing.
import { createEditor } from "django-prose-editor/configurable";
import { choose, popUp } from "bedside/dialog";
import { say } from "bedside/words";

// tiptap would write its few rules into a <style>, which the site's policy forbids; drafts.css has them. It leaves
// them out where it finds this mark, which is no style element of HTML, so that the policy has nothing to say of it.
const mark = document.createElementNS("urn:bedside", "style");
mark.setAttribute("data-tiptap-style", "");
document.head.append(mark);

const configuration = JSON.parse(document.getElementById("rich-text").textContent);
const editors = new WeakMap();
const form = document.querySelector("[data-citations]");

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) start(entry.target);
}, { rootMargin: "600px" });

/** Watch every text of this part of the page. */
export function watch(container) {
  for (const textarea of container.querySelectorAll("textarea[data-rich-text]")) {
    if (!editors.has(textarea) && !textarea.closest(".prose-editor")) seen.observe(textarea);
  }
}

/** Set a text, whether its editor has started or not. */
export function setText(textarea, html) {
  const editor = editors.get(textarea);
  if (editor) editor.commands.setContent(html, { emitUpdate: true });
  else textarea.value = html;
  textarea.value = html;
  textarea.dispatchEvent(new Event("input", { bubbles: true }));
}

async function start(textarea) {
  seen.unobserve(textarea);
  if (editors.has(textarea)) return;
  editors.set(textarea, null);
  const focused = document.activeElement === textarea;
  const editor = await createEditor(textarea, configuration);
  if (!editor) return editors.delete(textarea);
  editors.set(textarea, editor);
  name(textarea, editor);
  // The toolbar is made when the editor is ready, a moment after this.
  if (editor.extensionStorage?.menu?.dom) toolbar(textarea, editor);
  else editor.on("create", () => toolbar(textarea, editor));
  if (focused) editor.commands.focus();
  document.documentElement.dataset.editors = String(Number(document.documentElement.dataset.editors || 0) + 1);
}

function name(textarea, editor) {
  const label = document.querySelector(`label[for="${textarea.id}"]`);
  const attributes = { role: "textbox", "aria-multiline": "true" };
  if (label) {
    label.id ||= `${textarea.id}_label`;
    attributes["aria-labelledby"] = label.id;
    label.addEventListener("click", () => editor.commands.focus());
  }
  const help = document.getElementById(`${textarea.id}_helptext`);
  if (help) attributes["aria-describedby"] = help.id;
  editor.setOptions({ editorProps: { attributes } });
}

// One tab stop for the whole bar, arrow keys inside it (ARIA's toolbar pattern).
function toolbar(textarea, editor) {
  const bar = textarea.closest(".prose-editor").querySelector(".prose-menubar");
  if (!bar || bar.getAttribute("role")) return;
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", say("formatting"));
  if (form) bar.append(citeButton(editor));
  const buttons = () => [...bar.querySelectorAll("button")].filter((button) => button.offsetParent);
  const rest = (current) => {
    for (const button of bar.querySelectorAll("button")) button.tabIndex = button === current ? 0 : -1;
  };
  rest(bar.querySelector("button"));
  bar.addEventListener("focusin", (event) => rest(event.target));
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = buttons();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
    event.preventDefault();
  });
}

function citeButton(editor) {
  const group = document.createElement("div");
  group.className = "prose-menubar__group";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "prose-menubar__button cite";
  button.textContent = say("cite");
  button.addEventListener("click", () => cite(editor));
  group.append(button);
  return group;
}

async function cite(editor) {
  const { citations, newCitation } = form.dataset;
  const create = newCitation && {
    label: say("new_citation"),
    start: (done) => popUp(newCitation, async (id) => {
      const answer = await (await fetch(`${citations}?id=${encodeURIComponent(id)}`)).json();
      done(answer.results[0]);
    }),
  };
  const source = await choose({ title: say("cite_title"), search: citations, create });
  if (source) editor.chain().focus().insertContent({ type: "text", text: `[@${source.id}]` }).run();
  else editor.commands.focus();
}

// A link to a field whose textarea is behind an editor leads into the editor.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#id_"]');
  const textarea = link && document.getElementById(link.hash.slice(1));
  const editor = textarea && editors.get(textarea);
  if (!editor) return;
  event.preventDefault();
  editor.commands.focus();
  textarea.closest(".prose-editor").scrollIntoView({ block: "center" });
});

watch(document);
