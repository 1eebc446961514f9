// Bringing and correcting old articles. Without this script every command is a button of a form; with it a choice is
// taken at once, a piece is split where the text is clicked, and a paste keeps its formatting.
(() => {
  paste();
  correct();
  refresh();

  // What a browser or Word puts on the clipboard beside the plain text goes along, as long as the text is unchanged.
  function paste() {
    const text = document.querySelector("#id_text");
    const html = document.querySelector("#id_html");
    const said = document.querySelector("[data-formatting]");
    if (!text || !html || !said) return;
    let pasting = false;
    if (html.value) said.textContent = said.dataset.kept;
    text.addEventListener("paste", (event) => {
      const isWhole = text.selectionStart === 0 && text.selectionEnd === text.value.length;
      const rich = event.clipboardData.getData("text/html");
      pasting = isWhole && rich !== "";
      if (pasting) html.value = rich;
    });
    text.addEventListener("input", () => {
      if (!pasting && html.value) {
        html.value = "";
        said.textContent = text.value ? said.dataset.dropped : "";
      } else if (pasting) {
        said.textContent = said.dataset.kept;
      }
      pasting = false;
    });
  }

  function correct() {
    const main = document.querySelector("#content-main") ?? document.querySelector("#content");
    if (!document.querySelector("#pieces [data-update]")) return;
    let busy = false;
    const waiting = [];

    main.addEventListener("change", ({ target }) => {
      if (target.name?.startsWith("role-") || target.id === "language") send("update", target.id, target.value);
    });
    main.addEventListener("submit", (event) => {
      const { submitter } = event;
      if (event.target.id !== "pieces" || submitter?.value === "make") return; // those lead elsewhere
      event.preventDefault();
      send(submitter.value, submitter.closest(".piece")?.id ?? "");
    });

    // `place` is the ID of the row or the field that it is about; a choice made meanwhile is made again in what came.
    async function send(command, place, choice) {
      if (busy) {
        waiting.push([command, place, choice]);
        return;
      }
      busy = true;
      const page = document.querySelector("#correct");
      const form = document.querySelector("#pieces");
      const field = document.getElementById(place);
      if (choice && field) field.value = choice;
      const top = field?.getBoundingClientRect().top;
      page.classList.add("is-busy");
      const data = new FormData(form);
      data.set("do", command);
      try {
        const response = await fetch(form.getAttribute("action") ?? location.href, { method: "POST", body: data });
        const found = new DOMParser().parseFromString(await response.text(), "text/html");
        const fresh = found.querySelector("#correct");
        if (!response.ok || !fresh) throw new Error(String(response.status));
        // A sentence of the site, such as a refusal, stands above the page.
        const problem = found.querySelector(".messagelist");
        const open = [...page.querySelectorAll("details.fold[open]")].map((fold) => fold.querySelector(".piece")?.id);
        page.replaceWith(fresh);
        for (const id of open) document.getElementById(id)?.closest("details")?.setAttribute("open", "");
        back(place, top);
        const said = fresh.querySelector("[data-said]");
        said.textContent = problem ? problem.textContent.trim() : said.dataset.said;
      } catch {
        page.classList.remove("is-busy");
        const said = page.querySelector("[data-said]");
        said.textContent = said.dataset.failed;
      }
      busy = false;
      if (waiting.length) send(...waiting.shift());
    }

    // The focus stays where it was, and so does the row on the screen.
    function back(place, top) {
      const again = document.getElementById(place);
      if (!again) return;
      (again.querySelector("select[name^=role-]") ?? again).focus({ preventScroll: true });
      scrollBy(0, again.getBoundingClientRect().top - top);
    }

    // A click into the text offers to split it before that word.
    main.addEventListener("click", (event) => {
      const text = event.target.closest?.("[data-text]");
      const selection = getSelection();
      if (!text || !selection.isCollapsed || !text.contains(selection.anchorNode)) return;
      const before = document.createRange();
      before.setStart(text, 0);
      before.setEnd(selection.anchorNode, selection.anchorOffset);
      const marker = text.querySelector("[data-marker]")?.textContent ?? "";
      const whole = text.textContent.slice(marker.length);
      let at = before.toString().length - marker.length;
      while (at > 0 && !/\s/.test(whole[at - 1])) at -= 1;
      offer(text.closest(".piece"), Number(text.dataset.text) + [...whole.slice(0, at)].length, at, whole);
    });

    function offer(piece, offset, at, whole) {
      for (const old of document.querySelectorAll(".split-at")) old.remove();
      const pattern = document.querySelector("[data-split-at]");
      if (at <= 0 || !pattern) return;
      const button = document.createElement("button");
      button.className = "button split-at";
      button.name = "do";
      button.value = `split:${piece.id.slice("piece-".length)}:${offset}`;
      const words = whole.slice(at).trim();
      button.textContent = pattern.dataset.splitAt.replace("{words}", words.length > 24 ? `${words.slice(0, 24)}…` : words);
      piece.querySelector(".piece-is").append(button);
    }
  }

  // How far the reading is, every two seconds.
  function refresh() {
    const run = document.querySelector("#run[data-refresh]");
    if (!run) return;
    setTimeout(async () => {
      try {
        const response = await fetch(location.href);
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("#run");
        if (fresh) run.replaceWith(fresh);
      } catch {
        // It is asked again.
      }
      refresh();
    }, 2000);
  }
})();
