// What a page shows of work under way is asked for anew until that has ended. A part that somebody is at, with the focus or
// with words selected in it or something unfolded, is left as it is until they are elsewhere; no other part is touched.
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 60_000;
// About an hour: the session of somebody who has gone home shall end.
const MOST_LOOKS = 60;

const shown = new Map([...document.querySelectorAll("[data-live]")].map((part) => [part.id, part.outerHTML]));
const isUnderWay = (page) => page.querySelector("[data-under-way]") !== null;
const sessionOf = (page) => page.querySelector("meta[name=csrf]")?.content;
let wait = FIRST_WAIT;
let looks = 0;

// Screen readers tell only of what changes in a place that was there before.
const said = document.createElement("p");
said.className = "hidden";
said.setAttribute("role", "status");
document.getElementById("content").append(said);

function isInUse(part) {
  const selection = getSelection();
  const isOpen = part.querySelector("details[open]") !== null;
  return isOpen || part.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(part, true));
}

// Returns whether every part is as it is in the page that was just read.
function update(page) {
  let isWhole = true;
  document.querySelectorAll("[data-live]").forEach((part) => {
    const now = page.getElementById(part.id);
    if (!now || now.outerHTML === shown.get(part.id)) return;
    if (isInUse(part)) {
      isWhole = false;
      return;
    }
    shown.set(part.id, now.outerHTML);
    part.replaceWith(document.adoptNode(now));
  });
  return isWhole;
}

// From now on only the link shows what has come of it.
function giveUp() {
  document.querySelectorAll("[data-live] .with-scripts").forEach((promise) => promise.remove());
}

async function look() {
  const answer = await fetch(location.href).catch(() => null);
  // Signed out, or the case is part of another one by now.
  if (answer?.redirected) return giveUp();

  // The connection may break while the page is read, too.
  const text = answer?.ok ? await answer.text().catch(() => "") : "";
  const page = new DOMParser().parseFromString(text, "text/html");
  // A page of another session, or of a proxy that answers for guardian, says nothing of what is under way.
  if (sessionOf(page) === sessionOf(document)) {
    // Read first: what is updated leaves the page that was read.
    const isOver = !isUnderWay(page);
    if (update(page) && isOver) {
      said.textContent = "What was under way has ended, and is shown here.";
      return;
    }
  }
  wait = Math.min(wait * 1.5, LONGEST_WAIT);
  later();
}

function later() {
  looks += 1;
  if (looks > MOST_LOOKS) return giveUp();
  setTimeout(() => {
    if (document.hidden) document.addEventListener("visibilitychange", look, { once: true });
    else look();
  }, wait);
}

if (isUnderWay(document)) later();
