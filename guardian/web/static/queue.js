// The queue by keyboard. Everything here only presses what the page shows anyway.
let current = -1;

const rows = () => [...document.querySelectorAll(".row")];

function go(index) {
  const all = rows();
  if (!all.length) return;
  current = Math.max(0, Math.min(index, all.length - 1));
  all.forEach((row, place) => row.classList.toggle("current", place === current));
  const link = all[current].querySelector(".pair");
  link.focus({ preventScroll: true });
  all[current].scrollIntoView({ block: "nearest" });
}

function press(key) {
  const row = rows()[current];
  const target = row?.querySelector(`[data-key="${key}"]`) ?? document.querySelector(`#queue > :not(section) [data-key="${key}"]`);
  if (!target) return false;
  target.click();
  const menu = key === "d" && target.closest("details");
  if (menu) (menu.open ? menu.querySelector("button") : target).focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea, dialog");
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  if (event.key === "j") go(current + 1);
  else if (event.key === "k") go(current - 1);
  else if (event.key === "m" && document.querySelector(".bulk")) {
    document.querySelector(".bulk select").focus();
    event.preventDefault();
  }
  // A key that is held down would decide about one case after the other.
  else if (!event.repeat && "cldnux?".includes(event.key) && press(event.key)) event.preventDefault();
});

document.addEventListener("focusin", (event) => {
  const row = event.target.closest(".row");
  if (row) current = rows().indexOf(row);
  rows().forEach((one) => one.classList.toggle("current", one === row));
  if (row) sessionStorage.setItem("queue-row", current);
  if (row) sessionStorage.setItem("queue-case", row.id);
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const selector = event.target.closest("[data-selects]");
  if (selector) {
    const which = selector.dataset.selects === "all" ? "" : `="${selector.dataset.selects}"`;
    const boxes = [...document.querySelectorAll(`[data-group${which}] input[type=checkbox]`)];
    const on = boxes.some((box) => !box.checked);
    boxes.forEach((box) => { box.checked = on; });
    count();
  }
  // Just before the browser looks whether the form is complete, which says what is missing beside its field.
  if (event.target.closest(".bulk .primary")) requireSelection();
});

function requireSelection() {
  const some = document.querySelector(".row input:checked, .bulk input[name=all]:checked");
  const missing = some ? "" : "First select the cases that are meant: with x, or with the boxes before them.";
  document.querySelector(".bulk select").setCustomValidity(missing);
}

function count() {
  const number = document.querySelectorAll(".row input:checked").length;
  const all = document.querySelector(".bulk input[name=all]")?.checked;
  const words = document.querySelector(".selected-count");
  document.querySelector(".bulk")?.classList.toggle("some", all || number > 0);
  if (words) words.textContent = all ? "With all of them:" : number ? `With the ${number} selected:` : "With the selected:";
}

document.addEventListener("change", (event) => { if (event.target.matches(".row input[type=checkbox], .bulk input[name=all]")) count(); });

// After a decision the case that follows has the focus, whether the one before has left the queue or stayed in it; what
// is asked first has it, and the way back where nothing is left.
document.addEventListener("htmx:afterSettle", ({ detail: { xhr } }) => {
  const row = Number(sessionStorage.getItem("queue-row"));
  const stayed = xhr.status === 200 && rows()[row]?.id === sessionStorage.getItem("queue-case");
  const first = document.querySelector("#queue [autofocus]") ?? (rows().length ? null : document.querySelector(".done button"));
  if (first) first.focus();
  else go(stayed ? row + 1 : row);
  // Screen readers tell only of what changes in a place that was there before.
  const parts = [".done span", ".count"].map((one) => document.querySelector(one)?.textContent ?? "");
  document.getElementById("said").textContent = parts.join(" ");
});
if (new URLSearchParams(location.search).has("done")) go(Number(sessionStorage.getItem("queue-row")));
// A colleague was quicker (409): the page says so, and is shown like any other.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 409) event.detail.shouldSwap = true;
});
