"""Stage two: what can be measured of one candidate and one asset, and how probable a copy it makes them."""
