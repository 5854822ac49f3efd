// Slider, blink and overlay of the two pictures, and the keys of the case page. All it changes are attributes.
const box = document.querySelector(".compare");

if (box) {
  const stack = box.querySelector(".stack");
  const side = box.querySelector(".side");
  const range = box.querySelector("input[type=range]");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let blinking = 0;

  const show = () => {
    const mode = box.querySelector("input[name=mode]:checked").value;
    box.dataset.mode = mode;
    if (!stack) return;
    clearInterval(blinking);
    side.hidden = mode !== "side";
    stack.hidden = mode === "side";
    const width = stack.querySelector("svg").viewBox.baseVal.width;
    const share = range.value / 100;
    const over = stack.querySelector(".over");
    const edge = stack.querySelector(".edge");
    stack.querySelector(".revealed").setAttribute("width", mode === "slide" ? width * share : width);
    edge.setAttribute("visibility", mode === "slide" ? "visible" : "hidden");
    edge.setAttribute("x1", width * share);
    edge.setAttribute("x2", width * share);
    over.setAttribute("opacity", mode === "blend" ? share : 1);
    over.setAttribute("visibility", "visible");
    if (mode === "blink") {
      // Slower than three times a second, which can cause seizures.
      blinking = setInterval(() => {
        over.setAttribute("visibility", over.getAttribute("visibility") === "hidden" ? "visible" : "hidden");
      }, still ? 3000 : 800);
    }
  };
  box.addEventListener("input", (event) => {
    if (event.target.matches(".show-shared")) {
      box.querySelectorAll(".shared").forEach((one) => one.setAttribute("visibility", event.target.checked ? "visible" : "hidden"));
    } else show();
  });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea");
  // A key that is held down would decide about one case after the other.
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing) return;
  if (event.key === "Escape") document.querySelector(".crumbs a").click();
  if (event.key === "d") document.querySelector(".reasons button")?.focus();
  const target = "cjlnu".includes(event.key) && document.querySelector(`[data-key="${event.key}"]`);
  if (target) { event.preventDefault(); target.click(); }
});
