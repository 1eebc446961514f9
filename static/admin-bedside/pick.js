// Choosing what a field points at. The hidden input is the field; all else shows what it says.
import { choose, popUp } from "bedside/dialog";
import { make, say } from "bedside/words";

async function details(search, id, text) {
  const url = new URL(search, location.href);
  url.searchParams.set("id", id);
  try {
    const answer = await (await fetch(url)).json();
    return answer.results[0] || { id, text };
  } catch {
    return { id, text };
  }
}

function show(pick, result) {
  const input = pick.querySelector("input[type=hidden]");
  const shown = pick.querySelector("[data-picked]");
  input.value = result ? result.id : "";
  shown.replaceChildren();
  if (result?.thumbnail) shown.append(make("img", { className: "thumb", src: result.thumbnail, alt: "" }));
  shown.append(make("span", result ? {} : { className: "none" }, result ? result.text : say("none")));
  pick.querySelector("[data-clear]").hidden = !result;
  input.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: result }));
}

function add(pick, result) {
  const chips = pick.querySelector("[data-picked]");
  if (!result || chips.querySelector(`input[value="${CSS.escape(result.id)}"]`)) return;
  const input = make("input", { type: "hidden", name: pick.dataset.name, value: result.id });
  const drop = make("button", { type: "button", "data-drop": "", "aria-label": say("drop", { name: result.text }) }, "×");
  chips.append(make("li", { className: "chip" }, input, result.text, drop));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-pick] button");
  if (!button) return;
  const pick = button.closest("[data-pick]");
  const take = (result) => {
    if (!result) return;
    if (pick.dataset.pick === "many") add(pick, result);
    else show(pick, result);
  };
  const { search } = pick.dataset;
  if ("make" in button.dataset) {
    popUp(button.dataset.make, async (id, text) => { take(await details(search, id, text)); button.focus(); });
  } else if ("clear" in button.dataset) {
    show(pick, null);
    pick.querySelector("[data-choose]").focus();
  } else if ("drop" in button.dataset) {
    pick.querySelector("[data-choose]").focus();
    const chip = button.closest("li");
    chip.parentElement.dispatchEvent(new Event("change", { bubbles: true }));
    chip.remove();
  } else {
    take(await choose({
      title: say("choose", { noun: pick.dataset.noun }), search, pictures: "pictures" in pick.dataset,
    }));
  }
});
