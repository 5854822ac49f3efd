// What a page shows of work under way is asked for anew until that has ended. A part that somebody is at, with the focus or
// with words selected in it, is left as it is until they are elsewhere; nothing moves, and no other part is touched.
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 60_000;
// About an hour: the session of somebody who has gone home shall end.
const MOST_LOOKS = 60;

const shown = new Map([...document.querySelectorAll("[data-live]")].map((part) => [part.id, part.outerHTML]));
const isUnderWay = (page) => page.querySelector("[data-under-way]") !== null;
let wait = FIRST_WAIT;
let looks = 0;

// Screen readers tell only of what changes in a place that was there before.
const said = document.createElement("p");
said.className = "hidden";
said.setAttribute("role", "status");
document.getElementById("content").append(said);

function isInUse(part) {
  const selection = getSelection();
  return part.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(part, true));
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

async function look() {
  const answer = await fetch(location.href).catch(() => null);
  // Signed out, or the case is part of another one by now.
  if (answer?.redirected) return;
  if (answer?.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
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
  if (looks > MOST_LOOKS) return;
  setTimeout(() => {
    if (document.hidden) document.addEventListener("visibilitychange", look, { once: true });
    else look();
  }, wait);
}

if (isUnderWay(document)) later();
