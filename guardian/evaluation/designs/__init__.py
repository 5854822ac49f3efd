"""How pictures of one design are drawn, grouped by what they are; `templates.py` is the door to them."""
