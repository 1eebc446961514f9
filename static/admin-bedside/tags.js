// Tags as chips over the plain input, which keeps the names with commas between them and is what is sent.
import { make, say } from "bedside/words";

const parse = (text) => [...text.matchAll(/\s*"([^"]*)"|[^,]+/g)].map((m) => (m[1] ?? m[0]).trim()).filter(Boolean);
const quote = (name) => `"${name}"`;

for (const input of document.querySelectorAll("input[data-tags]")) start(input);

function start(input) {
  const chips = make("ul", { className: "chips" });
  const field = make("input", {
    type: "text", id: `${input.id}_new`, autocomplete: "off", role: "combobox", "aria-expanded": "false",
    "aria-autocomplete": "list", "aria-controls": `${input.id}_options`, "aria-label": say("type_tag"),
    placeholder: say("type_tag"), disabled: input.disabled, maxLength: 100,
  });
  const options = make("ul", { className: "options", id: `${input.id}_options`, role: "listbox", hidden: true });
  const box = make("div", { className: "tags-box" }, chips, make("div", { className: "tags-field" }, field, options));
  let names = parse(input.value);
  let active = -1;
  input.type = "hidden";
  input.after(box);
  const label = document.querySelector(`label[for="${input.id}"]`);
  if (label) label.htmlFor = field.id;

  const write = () => {
    input.value = names.map(quote).join(", ");
    input.dispatchEvent(new Event("change", { bubbles: true }));
    draw();
  };
  const draw = () => chips.replaceChildren(...names.map((name) => {
    const drop = make("button", { type: "button", "aria-label": say("drop", { name }), disabled: input.disabled }, "×");
    drop.addEventListener("click", () => { names = names.filter((other) => other !== name); write(); field.focus(); });
    return make("li", { className: "chip" }, name, drop);
  }));
  const close = () => {
    options.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const add = (name) => {
    name = name.replaceAll(/[",]/g, " ").trim();
    if (name && !names.some((other) => other.toLowerCase() === name.toLowerCase())) { names.push(name); write(); }
    field.value = "";
    close();
  };
  const mark = (index) => {
    const rows = [...options.children];
    active = (index + rows.length) % rows.length;
    rows.forEach((row, at) => row.setAttribute("aria-selected", String(at === active)));
    field.setAttribute("aria-activedescendant", rows[active].id);
  };
  const offer = async () => {
    const typed = field.value.trim();
    if (!typed) return close();
    let found = [];
    try {
      const answer = await (await fetch(`${input.dataset.tags}?q=${encodeURIComponent(typed)}`)).json();
      found = answer.names || [];
    } catch { /* without an answer the name can still be typed in full */ }
    if (field.value.trim() !== typed) return;
    const fresh = !found.some((name) => name.toLowerCase() === typed.toLowerCase());
    const rows = found.map((name) => [name, name]);
    if (fresh) rows.push([typed, say("add_tag", { name: typed })]);
    options.replaceChildren(...rows.map(([name, text], index) => {
      const row = make("li", { role: "option", id: `${options.id}_${index}`, "aria-selected": "false" }, text);
      row.addEventListener("pointerdown", (event) => { event.preventDefault(); add(name); });
      row.dataset.name = name;
      return row;
    }));
    options.hidden = false;
    field.setAttribute("aria-expanded", "true");
  };
  field.addEventListener("input", () => {
    if (field.value.includes(",")) { field.value.split(",").forEach(add); return; }
    offer();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") add(active >= 0 ? options.children[active].dataset.name : field.value);
    else if (event.key === "ArrowDown" && !options.hidden) mark(active + 1);
    else if (event.key === "ArrowUp" && !options.hidden) mark(active - 1);
    else if (event.key === "Escape" && !options.hidden) close();
    else if (event.key === "Backspace" && !field.value && names.length) { names.pop(); write(); }
    else return;
    event.preventDefault();
  });
  field.addEventListener("blur", () => { if (field.value.trim()) add(field.value); close(); });
  draw();
}
