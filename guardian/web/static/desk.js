// Every request that htmx makes carries the session's secret, as forms do.
document.addEventListener("htmx:configRequest", (event) => {
  const csrf = document.querySelector("meta[name=csrf]");
  if (csrf) event.detail.headers["X-CSRF-Token"] = csrf.content;
});
