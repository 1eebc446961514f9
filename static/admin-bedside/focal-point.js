// A press on the picture says what crops keep in view; the two numbers below it say the same, and the crops show it.
const picture = document.querySelector("[data-focal-point]");
const across = document.getElementById("id_focal_x");
const down = document.getElementById("id_focal_y");

// Where the box of a crop begins, as a share of the room it has to move in: images.processing.Shape.box says the same.
const place = (focal, whole, box) => {
  const room = whole - box;
  return room > 0 ? Math.min(Math.max((whole * focal) / 1000 - box / 2, 0), room) / room : 0;
};

const showCrops = () => {
  const [width, height] = ["width", "height"].map((side) => Number(picture.getAttribute(side)));
  for (const crop of document.querySelectorAll("[data-crop]")) {
    const ratio = Number(crop.dataset.across) / Number(crop.dataset.down);
    const x = place(across.value, width, Math.min(width, height * ratio));
    const y = place(down.value, height, Math.min(height, width / ratio));
    crop.style.aspectRatio = String(ratio);
    crop.style.objectPosition = `${x * 100}% ${y * 100}%`;
  }
};

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
    showCrops();
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
