"""Knowledge about URLs: canonical form, host and domain, and which URLs are renditions of one picture."""
