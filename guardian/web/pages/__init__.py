"""The pages of the desk: one file for each noun. Each reads by the doors of other rooms and renders a template."""
