"""The index of protected assets, and stage one of the search in it. `writer` changes it, `reader` opens it."""
