"""The catalogue of protected assets: adds and withdraws them, keeps their originals and rights, repairs the index."""
