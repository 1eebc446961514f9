// Nothing typed is lost: the browser asks before a changed form is left, and a form is only sent to a site that
// answers.
(() => {
  const form = document.querySelector("#content-main form[method=post]");
  if (!form) return;
  let changed = document.querySelector("[data-errors], .conflict") !== null;
  let sending = false;
  let armed = false;
  // Editors and rows settle while the page loads; only what a person does counts.
  for (const type of ["pointerdown", "keydown"]) {
    addEventListener(type, () => { armed = true; }, { capture: true });
  }
  for (const type of ["input", "change"]) {
    form.addEventListener(type, () => { if (armed) changed = true; });
  }
  addEventListener("beforeunload", (event) => { if (changed && !sending) event.preventDefault(); });
  addEventListener("pageshow", () => { sending = false; });

  const unsent = form.querySelector("[data-unsent]");
  form.addEventListener("submit", async (event) => {
    if (sending) return;
    event.preventDefault();
    const { submitter } = event;
    if (form.dataset.asking) return; // a second press while the first is being looked at
    form.dataset.asking = "1";
    const answers = await answering();
    delete form.dataset.asking;
    if (unsent) unsent.hidden = answers;
    if (!answers) {
      unsent?.scrollIntoView({ block: "center" });
      return;
    }
    sending = true;
    form.requestSubmit(submitter);
  });

  async function answering() {
    try {
      // A small page of the admin that changes nothing.
      await fetch(unsent?.dataset.answers || location.href, {
        method: "HEAD", cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(10_000),
      });
      return true;
    } catch {
      return false;
    }
  }
})();
