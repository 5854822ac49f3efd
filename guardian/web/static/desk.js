// Every request that htmx makes carries the session's secret, as forms do.
document.addEventListener("htmx:configRequest", (event) => {
  const csrf = document.querySelector("meta[name=csrf]");
  if (csrf) event.detail.headers["X-CSRF-Token"] = csrf.content;
});
// What only works with scripts is shown only with them.
document.documentElement.classList.add("scripts");
// The one button of a sign-in address, pressed for whoever opened it; not for a browser that only loads it ahead.
const atOnce = document.querySelector("form[data-at-once]");
if (atOnce && document.prerendering) document.addEventListener("prerenderingchange", () => atOnce.submit(), { once: true });
else if (atOnce) atOnce.submit();
// On a phone the navigation is one line that scrolls: the page that is shown shall be in sight.
document.querySelector("nav [aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });

// What holds a wide table is a stop for the keyboard only where there is something to scroll.
const scrollers = new ResizeObserver((seen) => seen.forEach(({ target }) => {
  target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
}));
document.querySelectorAll(".scroll[tabindex]").forEach((one) => scrollers.observe(one));

// A menu is left by Escape, which leads back to its button; the arrows go through it, and it closes behind whoever leaves.
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest("details.drop[open]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!menu || !(step || event.key === "Escape")) return;
  event.preventDefault();
  if (event.key === "Escape") menu.open = false;
  const buttons = [...menu.querySelectorAll("button")];
  const next = step ? buttons[buttons.indexOf(event.target) + step] : null;
  (next ?? (step === 1 ? event.target : menu.querySelector("summary"))).focus();
});
document.addEventListener("focusin", ({ target }) => {
  document.querySelectorAll("details.drop[open]").forEach((menu) => { menu.open = menu.contains(target); });
});
document.addEventListener("toggle", ({ target }) => {
  if (target.matches("details.drop[open]")) target.querySelector(".menu").scrollIntoView({ block: "nearest" });
}, true);

// What was written is kept in this tab until it has been taken: a session may end while somebody writes, a field may be
// wrong, the network may be lost. The page with the form gets it back, for the same person; passwords are never kept.
const UNSENT = "unsent";
const WRITTEN = "textarea, select, input:not([type=hidden], [type=password], [type=file], [type=checkbox], [type=radio])";
const person = document.querySelector(".who a")?.firstChild.textContent.trim();
document.addEventListener("submit", ({ target: form }) => {
  if (form.method !== "post" || !person) return;
  const fields = [...form.querySelectorAll(WRITTEN)].filter((field) => field.id && field.value);
  const words = fields.map((field) => [field.id, field.value]);
  const page = location.pathname;
  if (fields.some((field) => !field.matches("select"))) sessionStorage.setItem(UNSENT, JSON.stringify({ person, page, words, why: null }));
  else sessionStorage.removeItem(UNSENT);
});

const refusal = document.querySelector("[data-not-taken]");
// The page of a form that was refused has all that was written. The address of the answer is no page to be loaded again.
const formPage = document.documentElement.dataset.page;
if (formPage) {
  history.replaceState(null, "", formPage);
  sessionStorage.removeItem(UNSENT);
  refusal.scrollIntoView({ block: "center" });
}
const unsent = JSON.parse(sessionStorage.getItem(UNSENT));
const places = (unsent?.words ?? []).map(([id, value]) => [document.getElementById(id), value]).filter(([field]) => field);
if (unsent && refusal) {
  // Signing in, or a page that only says why: it stands between.
  sessionStorage.setItem(UNSENT, JSON.stringify({ ...unsent, why: refusal.dataset.notTaken || refusal.textContent.trim() }));
} else if (unsent && person) {
  sessionStorage.removeItem(UNSENT);
  // Whoever goes back with all of it still here was given no page: the network was lost.
  const wentBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  const why = unsent.why ?? (wentBack ? "guardian did not answer" : null);
  const isHere = unsent.page === location.pathname;
  if (unsent.person !== person) places.length = 0;
  if (why && isHere) putBack(why);
  else if (wentBack && !isHere) sessionStorage.setItem(UNSENT, JSON.stringify({ ...unsent, why }));
}

function putBack(why) {
  places.forEach(([field, value]) => { field.value = value; });
  if (!places.length) return;
  const said = document.createElement("p");
  said.className = "fault in-sight";
  said.id = "put-back";
  said.setAttribute("role", "alert");
  said.textContent = `Nothing was done: ${why.replace(/\.$/, "")}. What you wrote is in the form again. Look, and send it once more.`;
  document.getElementById("content").prepend(said);
  const [field] = places[0];
  field.closest("details")?.setAttribute("open", "");
  field.setAttribute("aria-describedby", said.id);
  field.focus();
}

// A decision by script says what a form would have shown: where to sign in, or why nothing was done.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (new URL(xhr.responseURL).pathname !== "/login") return;
  event.detail.shouldSwap = false;
  location.assign(xhr.responseURL);
});
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  const text = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector("[data-not-taken]");
  if (xhr.status !== 409) sayUndone(text?.textContent ?? `guardian answered with HTTP status ${xhr.status}`);
});
document.addEventListener("htmx:sendError", () => sayUndone("guardian does not answer"));
document.addEventListener("htmx:afterSettle", () => document.querySelector(".not-done")?.remove());

function sayUndone(why) {
  document.querySelector(".not-done")?.remove();
  const said = document.createElement("p");
  said.className = "fault not-done in-sight";
  said.setAttribute("role", "alert");
  said.textContent = `Nothing was done: ${why.trim()}`;
  document.getElementById("content").prepend(said);
}
