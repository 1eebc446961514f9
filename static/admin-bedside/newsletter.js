// The progress of an issue, asked for every two seconds. Without this script the page has a button to refresh it.
(() => {
  const page = document.querySelector("[data-progress]");
  if (!page) return;
  const EVERY = 2000;
  const bar = page.querySelector("[data-bar]");
  const countdown = page.querySelector("[data-seconds]");

  function show(answer) {
    for (const [name, text] of Object.entries(answer.figures)) {
      const place = page.querySelector(`[data-figure="${name}"]`);
      if (place && place.textContent !== text) place.textContent = text;
      const line = page.querySelector(`[data-line="${name}"]`);
      if (!line) continue;
      line.classList.toggle("is-none", text === "0");
      const list = line.querySelector("[data-list]");
      if (list) list.hidden = text === "0";
    }
    if (bar) bar.value = answer.percent;
    if (countdown && answer.starts_in !== null) countdown.textContent = String(answer.starts_in);
  }

  async function ask() {
    try {
      const response = await fetch(page.dataset.figures, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      const answer = await response.json();
      // Another state has other buttons.
      if (answer.state !== page.dataset.progress) return location.reload();
      show(answer);
      // Once more as a whole, with its reasons.
      if (!answer.running) return location.reload();
    } catch {
      // The site does not answer or the session ended: what was last heard stays, and is asked for again.
    }
    setTimeout(ask, EVERY);
  }

  if (countdown) {
    setInterval(() => { countdown.textContent = String(Math.max(0, Number(countdown.textContent) - 1)); }, 1000);
  }
  setTimeout(ask, EVERY);
})();
