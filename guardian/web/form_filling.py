"""Fills a form of a page with what somebody has sent from it."""

from collections import defaultdict
from html import escape

from selectolax.lexbor import LexborHTMLParser, LexborNode
from starlette.datastructures import URL, FormData

_NOT_FILLED = ("hidden", "password", "file")
"""Kinds of fields that are left as the page has them."""


def fill_form(tree: LexborHTMLParser, path: str, sent: FormData) -> LexborNode | None:
    """Put what was sent to a path into the form of a page that it came from; return the form, None without one."""
    form = _form_sent_to(tree, path, sent)
    if form is not None:
        _fill(tree, form, sent)
        _open(form)
    return form


def _form_sent_to(tree: LexborHTMLParser, path: str, sent: FormData) -> LexborNode | None:
    """Return the form that was sent: of those with this address the one whose fields and buttons are most like it."""
    pairs = set(sent.multi_items())

    def likeness(form: LexborNode) -> tuple[int, int]:
        fields = _fields_of(tree, form)
        names = {one.attributes.get("name") for one in fields}
        fixed = [one for one in fields if one.tag == "button" or one.attributes.get("type") == "hidden"]
        same = sum((one.attributes.get("name"), one.attributes.get("value")) in pairs for one in fixed)
        return sum(name in names for name in sent), same

    forms = [form for form in tree.css("form[method=post]") if URL(form.attributes["action"] or "").path == path]
    return max(forms, key=likeness, default=None)


def _fields_of(tree: LexborHTMLParser, form: LexborNode) -> list[LexborNode]:
    """Return the fields and buttons of a form, those that stand elsewhere on the page too."""
    id_ = form.attributes.get("id")
    elsewhere = tree.css(f'[form="{id_}"]') if id_ else []
    return [*form.css("input, select, textarea, button"), *elsewhere]


def _fill(tree: LexborHTMLParser, form: LexborNode, sent: FormData) -> None:
    """Put what was sent into the fields of a form."""
    written: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in sent.multi_items():
        if isinstance(value, str):
            written[name].append(value)

    for field in _fields_of(tree, form):
        values = written[field.attributes.get("name") or ""]
        kind = field.attributes.get("type") or field.tag
        if kind in ("checkbox", "radio"):
            _mark(field, "checked", field.attributes.get("value") in values)
        elif field.tag == "select" and values:
            for option in field.css("option"):
                _mark(option, "selected", option.attributes.get("value", option.text()) in values)
        elif field.tag == "textarea" and values:
            # The first line break of a field is not part of its text.
            field.inner_html = "\n" + escape(values.pop(0))
        elif field.tag == "input" and kind not in _NOT_FILLED and values:
            field.attrs["value"] = values.pop(0)


def _mark(node: LexborNode, attribute: str, is_marked: bool) -> None:
    if is_marked:
        node.attrs[attribute] = ""
    elif attribute in node.attributes:
        del node.attrs[attribute]


def _open(form: LexborNode) -> None:
    """Open what a form may be folded away in."""
    around = form.parent
    while around is not None:
        if around.tag == "details":
            around.attrs["open"] = ""
        around = around.parent
