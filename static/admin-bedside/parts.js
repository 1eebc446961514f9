// Ordered rows: opening, moving by button or by hand, adding, duplicating, removing. The position inputs are the
// truth that is sent; the server numbers again.
import { announce, make, say } from "bedside/words";

const page = document.querySelector("[data-draft]");
let hooks = { opened() {}, added() {}, changed() {} };

/** Let other modules hear of rows that open, are added or change. */
export function listen(functions) {
  hooks = { ...hooks, ...functions };
}

function parts(section) {
  return [...section.querySelector("[data-list]").children];
}

function start(section) {
  const list = section.querySelector("[data-list]");
  parts(section).forEach(prepare);
  section.querySelector("[data-add]")?.addEventListener("click", () => {
    const part = add(section);
    open(part);
    part.querySelector(".part-body :is(input:not([type=hidden]), select, textarea, button)")?.focus();
    announce(say("added", { number: list.children.length }));
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tools] button");
    if (button) act(section, button.closest("[data-part]"), button);
  });
  for (const type of ["input", "change"]) {
    list.addEventListener(type, (event) => refresh(event.target.closest("[data-part]"), event));
  }
  list.addEventListener("toggle", (event) => {
    if (event.target.open) hooks.opened(event.target.closest("[data-part]"));
  }, true);
  dragging(section, list);
  for (const part of parts(section)) if (part.querySelector("details").open) hooks.opened(part);
}

function prepare(part) {
  part.querySelector("[data-tools]").hidden = false;
  const name = nameOf(part);
  for (const place of part.querySelectorAll("[data-name-again]")) place.textContent = name;
  const box = deletion(part);
  if (box?.checked) showRemoved(part, true);
}

const field = (part, name) => part.querySelector(`[name="${part.id}-${name}"]`);
const deletion = (part) => field(part, "DELETE");
const nameOf = (part) => part.querySelector("[data-row-name]").textContent.trim();
const open = (part) => { part.querySelector("details").open = true; };

function act(section, part, button) {
  const all = parts(section);
  const at = all.indexOf(part);
  const name = nameOf(part);
  if ("up" in button.dataset || "down" in button.dataset) {
    const up = "up" in button.dataset;
    const other = all[at + (up ? -1 : 1)];
    if (!other) return announce(say(up ? "first" : "last", { name }));
    if (up) other.before(part);
    else other.after(part);
    button.focus(); // the row was taken out and put in again
    number(section);
    part.scrollIntoView({ block: "nearest" });
    announce(say("moved", { name, number: parts(section).indexOf(part) + 1, count: all.length }));
  } else if ("duplicate" in button.dataset) {
    const copy = add(section, part);
    copy.querySelector("[data-duplicate]").focus();
    announce(say("duplicated", { name, number: parts(section).indexOf(copy) + 1 }));
  } else if ("remove" in button.dataset) {
    const box = deletion(part);
    if (!box) return;
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
    showRemoved(part, box.checked);
    number(section);
    announce(say(box.checked ? "removed" : "kept", { name }));
  }
}

function showRemoved(part, removed) {
  part.classList.toggle("is-removed", removed);
  if (removed) part.querySelector("details").open = false;
  const button = part.querySelector("[data-remove]");
  const word = say(removed ? "undo" : "remove");
  part.querySelector("[data-remove-word]").textContent = word;
  button.title = word;
}

function add(section, source = null) {
  const total = section.querySelector('input[name$="-TOTAL_FORMS"]');
  const index = total.value;
  const blank = section.querySelector("template[data-blank]");
  const holder = make("template");
  holder.innerHTML = blank.innerHTML.replaceAll("__prefix__", index);
  const part = holder.content.querySelector("[data-part]");
  const list = section.querySelector("[data-list]");
  if (source) {
    copy(source, part);
    source.after(part);
  } else {
    list.append(part);
  }
  total.value = String(Number(index) + 1);
  prepare(part);
  number(section);
  refresh(part);
  hooks.added(part);
  part.dispatchEvent(new CustomEvent("formset:added", { bubbles: true, detail: { formsetName: section.dataset.parts } }));
  part.dispatchEvent(new Event("change", { bubbles: true }));
  return part;
}

// The values of every field, and what choosing shows; not the row's own identity.
function copy(source, part) {
  for (const input of source.querySelectorAll(`[name^="${source.id}-"]`)) {
    const name = input.name.slice(source.id.length + 1);
    const twin = field(part, name);
    if (!twin || ["id", "DELETE", "position", "repin"].includes(name)) continue;
    if (input.type === "checkbox") twin.checked = input.checked;
    else twin.value = input.value;
    const from = input.closest("[data-pick]");
    if (!from) continue;
    const to = twin.closest("[data-pick]");
    to.querySelector("[data-picked]").innerHTML = from.querySelector("[data-picked]").innerHTML;
    to.querySelector("[data-clear]").hidden = !input.value;
    part.querySelector("[data-thumb]")?.replaceChildren(...source.querySelector("[data-thumb]").cloneNode(true).childNodes);
  }
  if ("edition" in source.dataset) part.dataset.edition = source.dataset.edition;
}

function number(section) {
  const all = parts(section);
  let place = 0;
  all.forEach((part, index) => {
    const removed = part.classList.contains("is-removed");
    const input = field(part, "position");
    if (input) input.value = String(index + 1);
    part.querySelector("[data-number]").textContent = removed ? "–" : String(++place);
  });
  section.querySelector("[data-count]").textContent = String(place);
  page?.dispatchEvent(new Event("change", { bubbles: true }));
}

function refresh(part, event = null) {
  if (!part) return;
  const section = part.closest("[data-parts]");
  const name = section.dataset.title.split(" ").map((wanted) => wordsOf(part, wanted)).find(Boolean) || say("unnamed");
  part.querySelector("[data-row-name]").textContent = name;
  for (const place of part.querySelectorAll("[data-name-again]")) place.textContent = name;
  const thumb = part.querySelector("[data-thumb]");
  if (thumb && event?.target.name === `${part.id}-picture`) {
    const image = part.querySelector(`[data-pick]:has([name="${part.id}-picture"]) img`);
    thumb.replaceChildren(...(image ? [make("img", { src: image.src, alt: "" })] : []));
  }
  hooks.changed(part, event);
  const badges = liveBadges(part);
  part.querySelector("[data-badges]").replaceChildren(
    ...badges.map(([kind, label]) => make("span", { className: `badge ${kind}` }, label)));
}

function wordsOf(part, wanted) {
  const input = field(part, wanted);
  if (!input) return "";
  const pick = input.closest("[data-pick]");
  if (pick) return input.value ? pick.querySelector("[data-picked]").textContent.trim() : "";
  return input.value.trim();
}

// The same as `live_badges` of the form on the server.
function liveBadges(part) {
  const says = (name) => (field(part, name)?.value || "").replace(/<[^>]*>|&nbsp;/g, "").trim() !== "";
  const found = [];
  const urgency = field(part, "urgency");
  if (urgency?.value) found.push([`urgency-${urgency.value}`, urgency.selectedOptions[0].textContent]);
  if ("library" in part.dataset) {
    const library = Boolean(part.dataset.edition) && Boolean(field(part, "condition")?.value);
    if (nameOf(part) === say("unnamed")) found.push(["missing", say("needs_heading")]);
    if (says("text")) found.push(["own", say("own_text")]);
    else found.push(library ? ["library", say("library_text")] : ["missing", say("needs_text")]);
    if (says("treatment")) found.push(["own", say("own_treatment")]);
    else if (!library) found.push(["missing", say("no_treatment")]);
  } else if (field(part, "text")?.matches("[data-rich-text]") && !says("text")) {
    found.push(["missing", say("no_text")]);
  }
  return found;
}

// Dragging by the handle, for those who like a mouse. The buttons do the same.
function dragging(section, list) {
  let moving = null;
  list.addEventListener("pointerdown", (event) => {
    const part = event.target.closest("[data-handle]")?.closest("[data-part]");
    if (part) part.draggable = true;
  });
  list.addEventListener("pointerup", () => parts(section).forEach((part) => { part.draggable = false; }));
  list.addEventListener("dragstart", (event) => {
    if (!event.target.draggable || !event.target.matches("[data-part]")) return;
    moving = event.target;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    moving.classList.add("is-moving");
  });
  list.addEventListener("dragover", (event) => {
    if (!moving) return;
    event.preventDefault();
    const over = event.target.closest("[data-part]");
    if (!over || over === moving) return;
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(moving);
    else over.after(moving);
  });
  list.addEventListener("drop", (event) => { if (moving) event.preventDefault(); });
  list.addEventListener("dragend", () => {
    if (!moving) return;
    moving.classList.remove("is-moving");
    moving.draggable = false;
    number(section);
    announce(say("moved", {
      name: nameOf(moving), number: parts(section).indexOf(moving) + 1, count: parts(section).length,
    }));
    moving = null;
  });
}

for (const section of document.querySelectorAll("[data-parts]")) start(section);
