"""The report of a bundle: a PDF that somebody who knows nothing of guardian can read."""
