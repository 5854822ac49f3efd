"""Where candidates come from: one file per kind of source, and the reading of pages."""
