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
