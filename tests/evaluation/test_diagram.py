"""The diagram says what the numbers say."""

import xml.etree.ElementTree as ET

from guardian.evaluation.diagram import drawn

SVG = "{http://www.w3.org/2000/svg}"


def test_bands_lie_where_they_belong() -> None:
    bands = [
        {"from": 0.0, "to": 0.1, "pairs": 900.0, "stated": 0.0, "right": 0.0},
        {"from": 0.5, "to": 0.7, "pairs": 10.0, "stated": 0.5, "right": 1.0},
    ]
    root = ET.fromstring(drawn(bands))
    frame = root.findall(f"{SVG}rect")[1].attrib
    left, top, side = (float(frame[name]) for name in ("x", "y", "width"))
    first, second = (circle.attrib for circle in root.findall(f"{SVG}circle"))
    assert (float(first["cx"]), float(first["cy"])) == (left, top + side)
    assert (float(second["cx"]), float(second["cy"])) == (left + side / 2, top)
    assert float(first["r"]) > float(second["r"])
    assert "10 pairs" in drawn(bands)


def test_nothing_is_drawn_as_nothing() -> None:
    assert not ET.fromstring(drawn([])).findall(f"{SVG}circle")
