// What script adds to a page: contents that follow the reading, sources that show in place, tables that sort,
// links that copy, and the system's own share dialog. Everything works without it.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- Said aloud, for those who do not see what changed ---------------------------------------------------------

const status = document.createElement("p");
status.className = "status";
status.setAttribute("role", "status");
document.body.append(status);
let quiet;

function say(words) {
  status.textContent = words;
  clearTimeout(quiet);
  quiet = setTimeout(() => (status.textContent = ""), 4000);
}

// --- Copy, share, print ----------------------------------------------------------------------------------------

const copied = document.querySelector("[data-copy]");

async function copy(address) {
  try {
    await navigator.clipboard.writeText(address);
    if (copied) say(copied.dataset.done);
  } catch {
    // The browser does not let us: the address is in its own line all the same.
  }
}

if (copied && navigator.clipboard) {
  copied.hidden = false;
  copied.addEventListener("click", () => copy(copied.dataset.copy));
}

for (const button of all("[data-share]")) {
  button.hidden = !navigator.share;
  button.addEventListener("click", () =>
    navigator.share({ title: document.title, url: copied.dataset.copy }).catch(() => {}),
  );
}

for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// --- Sources where they are cited ------------------------------------------------------------------------------

const note = document.createElement("div");

function place(link) {
  const at = link.getBoundingClientRect();
  const width = Math.min(document.documentElement.clientWidth - 32, 400);
  const left = Math.max(16, Math.min(at.left, document.documentElement.clientWidth - width - 16));
  note.style.inlineSize = `${width}px`;
  note.style.insetInlineStart = "auto";
  note.style.left = `${left + scrollX}px`;
  note.style.top = `${at.bottom + scrollY + 6}px`;
  const below = note.getBoundingClientRect().bottom;
  if (below > innerHeight) note.style.top = `${at.top + scrollY - note.offsetHeight - 6}px`;
}

if (note.showPopover) {
  note.className = "note";
  note.popover = "auto";
  note.tabIndex = -1;
  document.querySelector("main").append(note);
  let opener;

  note.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && note.contains(document.activeElement)) opener.focus({ preventScroll: true });
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.cite");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const source = document.getElementById(link.hash.slice(1));
    if (!source) return;
    event.preventDefault();
    opener = link;
    const list = document.createElement("a");
    list.href = link.hash;
    list.textContent = document.getElementById("sources").textContent;
    list.addEventListener("click", () => note.hidePopover());
    const words = source.cloneNode(true);
    words.removeAttribute("id");
    for (const back of words.querySelectorAll(".back")) back.remove();
    const text = document.createElement("p");
    text.append(...words.childNodes);
    note.replaceChildren(text, list);
    note.setAttribute("aria-label", link.getAttribute("aria-label"));
    note.showPopover();
    place(link);
    note.focus({ preventScroll: true });
  });
}

// --- Links to a part of the page -------------------------------------------------------------------------------

for (const link of all("a.anchor")) link.addEventListener("click", () => copy(link.href));

// --- Contents that follow the reading --------------------------------------------------------------------------

const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
const parts = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);

if (parts.length > 1) {
  const list = document.querySelector(".contents");
  let current;

  const follow = () => {
    const line = innerHeight / 3;
    const read = parts.filter((part) => part.getBoundingClientRect().top < line).pop();
    const link = links.get(read?.id);
    if (link === current) return;
    current?.removeAttribute("aria-current");
    current = link;
    if (!link) return;
    link.setAttribute("aria-current", "location");
    // Only the list scrolls, never the page.
    const [box, row] = [list.getBoundingClientRect(), link.getBoundingClientRect()];
    if (row.top < box.top || row.bottom > box.bottom) list.scrollTop += row.top - box.top - box.height / 3;
  };

  // The area reaches far above the window, so that no part is jumped over.
  const observer = new IntersectionObserver(follow, { rootMargin: "999999px 0px -66% 0px" });
  for (const part of parts) observer.observe(part);

  // Open beside the text; on a phone closed, also over the part that was chosen from it.
  const fold = list.querySelector("details");
  const wide = matchMedia("(min-width: 64rem)");
  const unfold = () => (fold.open = wide.matches);
  unfold();
  wide.addEventListener("change", unfold);
  list.addEventListener("click", (event) => {
    if (event.target.closest("a")) unfold();
  });
}

// --- Tables that sort ------------------------------------------------------------------------------------------

const order = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" });

for (const table of all("table[data-sortable]")) {
  all("thead th", table).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        if (!x || !y) return (x ? 0 : 1) - (y ? 0 : 1); // what says nothing stays last
        return up ? order.compare(x, y) : order.compare(y, x);
      });
      table.tBodies[0].append(...rows);
    });
  });
}
