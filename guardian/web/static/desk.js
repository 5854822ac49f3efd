// Every request that htmx makes carries the session's secret, as forms do.
document.addEventListener("htmx:configRequest", (event) => {
  const csrf = document.querySelector("meta[name=csrf]");
  if (csrf) event.detail.headers["X-CSRF-Token"] = csrf.content;
});
// What only works with scripts is shown only with them.
document.documentElement.classList.add("scripts");
