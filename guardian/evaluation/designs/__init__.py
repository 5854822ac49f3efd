"""How pictures of one design are drawn, grouped by what they are; `templates.py` draws them by name."""
