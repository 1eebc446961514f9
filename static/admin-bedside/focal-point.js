// A press on the picture says what crops keep in view; the two numbers below it say the same.
const picture = document.querySelector("[data-focal-point]");
const across = document.getElementById("id_focal_x");
const down = document.getElementById("id_focal_y");

if (picture && across && down) {
  const box = document.createElement("div");
  const point = document.createElement("span");
  box.className = "focal";
  point.className = "focal-point";
  picture.replaceWith(box);
  box.append(picture, point);
  const show = () => {
    point.style.left = `${across.value / 10}%`;
    point.style.top = `${down.value / 10}%`;
  };
  box.addEventListener("click", (event) => {
    const { left, top, width, height } = picture.getBoundingClientRect();
    across.value = String(Math.round(((event.clientX - left) / width) * 1000));
    down.value = String(Math.round(((event.clientY - top) / height) * 1000));
    across.dispatchEvent(new Event("change", { bubbles: true }));
    show();
  });
  for (const input of [across, down]) input.addEventListener("input", show);
  show();
}
