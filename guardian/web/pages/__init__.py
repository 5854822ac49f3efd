"""The pages of the desk: one file for each noun. Each reads what other packages offer and renders a template."""
