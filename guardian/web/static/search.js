// Results by keyboard, and a part of the picture drawn with the mouse or a finger. Both only do what the form can do.
let current = -1;

function go(index) {
  const rows = [...document.querySelectorAll(".row")];
  if (!rows.length) return;
  current = Math.max(0, Math.min(index, rows.length - 1));
  rows.forEach((row, place) => row.classList.toggle("current", place === current));
  rows[current].querySelector("a")?.focus({ preventScroll: true });
  rows[current].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key === "j") go(current + 1);
  else if (event.key === "k") go(current - 1);
});

const figure = document.querySelector(".asked[data-width]");
const image = figure?.querySelector("img");
const field = document.getElementById("s-region");

// The corner where drawing began, in shares of the picture.
let start = null;
const box = document.createElement("span");
box.className = "part";
box.hidden = true;

function share(event) {
  const at = image.getBoundingClientRect();
  const within = (value) => Math.max(0, Math.min(1, value));
  return [within((event.clientX - at.left) / at.width), within((event.clientY - at.top) / at.height)];
}

function show([left, top, width, height]) {
  box.hidden = !width;
  Object.assign(box.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${width * 100}%`, height: `${height * 100}%` });
}

function part(event) {
  const [x, y] = share(event);
  return [Math.min(x, start[0]), Math.min(y, start[1]), Math.abs(x - start[0]), Math.abs(y - start[1])];
}

if (image) {
  const frame = document.createElement("span");
  frame.className = "frame";
  image.replaceWith(frame);
  frame.append(image, box);
  const [across, down] = [Number(figure.dataset.width), Number(figure.dataset.height)];
  const asked = field.value.split(",").map(Number);
  if (asked.length === 4 && asked.every(Number.isFinite)) show([asked[0] / across, asked[1] / down, asked[2] / across, asked[3] / down]);

  frame.addEventListener("pointerdown", (event) => {
    start = share(event);
    frame.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  frame.addEventListener("pointermove", (event) => {
    if (start) show(part(event));
  });
  frame.addEventListener("pointercancel", () => { start = null; });
  frame.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [left, top, width, height] = part(event);
    start = null;
    // A click is no part: the whole picture is meant again.
    const isPart = width > 0.02 && height > 0.02;
    const [x, y] = [Math.floor(left * across), Math.floor(top * down)];
    field.value = isPart ? [x, y, Math.min(across - x, Math.round(width * across)), Math.min(down - y, Math.round(height * down))].join(",") : "";
    if (!isPart) show([0, 0, 0, 0]);
    field.closest("details").open = true;
  });
}
