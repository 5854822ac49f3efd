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

// What was written is kept in this tab until it has been taken: a session may end while somebody writes. Pages that stand
// between (signing in, a fault) have no form with words; the page that was sent from gets them back, for the same person.
const UNSENT = "unsent";
const person = document.querySelector(".who a")?.firstChild.textContent.trim();
document.addEventListener("submit", ({ target: form }) => {
  if (form.method !== "post" || !person) return;
  const words = [...form.querySelectorAll("textarea")].map((area) => [area.id, area.value]).filter(([, value]) => value);
  const page = location.pathname;
  if (words.length) sessionStorage.setItem(UNSENT, JSON.stringify({ person, page, words, refused: false }));
  else sessionStorage.removeItem(UNSENT);
});
const unsent = JSON.parse(sessionStorage.getItem(UNSENT));
if (unsent && document.querySelector("[data-not-taken]")) {
  sessionStorage.setItem(UNSENT, JSON.stringify({ ...unsent, refused: true }));
} else if (unsent && person) {
  sessionStorage.removeItem(UNSENT);
  if (unsent.refused && unsent.person === person && unsent.page === location.pathname) putBack(unsent.words);
}

function putBack(words) {
  const areas = words.map(([id, value]) => [document.getElementById(id), value]).filter(([area]) => area);
  areas.forEach(([area, value]) => { area.value = value; });
  if (!areas.length) return;
  const said = document.createElement("p");
  said.className = "fault";
  said.setAttribute("role", "alert");
  said.textContent = "Nothing was done: what you wrote is in the form again. Look, and send it once more.";
  document.getElementById("content").prepend(said);
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
