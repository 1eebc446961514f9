// The sentences that scripts say: they come with the page, in the person's language.
const element = document.getElementById("words");
const words = element ? JSON.parse(element.textContent) : {};

/** The sentence of this name, with {places} filled in. */
export function say(name, values = {}) {
  return (words[name] || name).replace(/\{(\w+)\}/g, (_, place) => values[place] ?? "");
}

/** An element with properties and children: make("button", { type: "button" }, "Text"). */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Say something to people who listen to the page. */
export function announce(sentence) {
  const live = document.querySelector("[data-announce]");
  if (live) live.textContent = sentence;
}
